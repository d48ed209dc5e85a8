import { FleetScreen } from "@/components/fleet/fleet-screen";

export const metadata = { title: "Fleet" };

export default function FleetPage() {
  return <FleetScreen />;
}
