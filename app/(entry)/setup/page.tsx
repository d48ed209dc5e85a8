import { SetupScreen } from "@/components/entry/setup-screen";

export const metadata = { title: "Set up" };

export default function SetupPage() {
  return <SetupScreen />;
}
