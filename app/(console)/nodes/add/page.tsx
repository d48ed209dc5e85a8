import { AddNodesScreen } from "@/components/node/add-nodes-screen";

export const metadata = { title: "Add nodes" };

export default function AddNodesPage() {
  return <AddNodesScreen />;
}
