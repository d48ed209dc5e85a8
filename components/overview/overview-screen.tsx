"use client";
import { ProblemList } from "./problem-list.tsx";
import { StatusLine } from "./status-line.tsx";

/** The first screen: one sentence, then what needs a person, then the picture. */
export function OverviewScreen() {
  return (
    <>
      <StatusLine />
      <ProblemList />
    </>
  );
}
