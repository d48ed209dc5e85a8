import type { Metadata } from "next";
import { RingScreen } from "@/components/ring/ring-screen";

export const metadata: Metadata = { title: "Ring" };

export default function RingPage() {
  return <RingScreen />;
}
