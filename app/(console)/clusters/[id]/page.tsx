import type { Metadata } from "next";
import { ClusterScreen } from "@/components/cluster/cluster-screen";

export async function generateMetadata({ params }: { params: Promise<{ id: string }> }): Promise<Metadata> {
  return { title: decodeURIComponent((await params).id) };
}

export default async function ClusterPage({ params }: { params: Promise<{ id: string }> }) {
  return <ClusterScreen id={decodeURIComponent((await params).id)} />;
}
