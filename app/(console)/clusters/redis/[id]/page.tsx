import type { Metadata } from "next";
import { RedisScreen } from "@/components/redis/redis-screen";

export async function generateMetadata({ params }: { params: Promise<{ id: string }> }): Promise<Metadata> {
  return { title: decodeURIComponent((await params).id) };
}

export default async function RedisPage({ params }: { params: Promise<{ id: string }> }) {
  return <RedisScreen id={decodeURIComponent((await params).id)} />;
}
