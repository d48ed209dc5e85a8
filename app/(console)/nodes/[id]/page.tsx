import { NodeScreen } from "@/components/node/node-screen";

export async function generateMetadata({ params }: { params: Promise<{ id: string }> }) {
  return { title: decodeURIComponent((await params).id).slice(0, 40) };
}

export default async function NodePage({ params }: { params: Promise<{ id: string }> }) {
  return <NodeScreen id={decodeURIComponent((await params).id)} />;
}
