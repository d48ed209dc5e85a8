import { SignInScreen } from "@/components/entry/sign-in-screen";

export const metadata = { title: "Sign in" };

export default function SignInPage() {
  return <SignInScreen />;
}
