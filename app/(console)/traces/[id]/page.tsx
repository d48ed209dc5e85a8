import type { Metadata } from "next";
import { TraceScreen } from "@/components/traces/trace-screen";

export const metadata: Metadata = { title: "Traces" };

export default async function TracePage({ params }: { params: Promise<{ id: string }> }) {
  return <TraceScreen id={decodeURIComponent((await params).id)} />;
}
