import type { Metadata } from "next";
import { IncidentScreen } from "@/components/incident/incident-screen";

export async function generateMetadata({ params }: { params: Promise<{ id: string }> }): Promise<Metadata> {
  return { title: (await params).id };
}

export default async function IncidentPage({ params }: { params: Promise<{ id: string }> }) {
  return <IncidentScreen id={decodeURIComponent((await params).id)} />;
}
