import type { ReactNode } from "react";
import { classes } from "./classes.ts";

/** A titled surface. `aside` stands at the right end of the title line. */
export function Panel({
  title,
  aside,
  children,
  className,
  bodyClassName,
  headingLevel = 2,
  id,
}: {
  title?: ReactNode;
  aside?: ReactNode;
  children: ReactNode;
  className?: string;
  bodyClassName?: string;
  headingLevel?: 2 | 3;
  id?: string;
}) {
  const Heading = headingLevel === 2 ? "h2" : "h3";
  return (
    <section
      id={id}
      className={classes(
        "min-w-0 rounded-lg border border-line bg-panel group-data-[fresh=false]/live:border-dashed",
        className,
      )}
    >
      {title !== undefined && (
        <header className="flex min-h-11 flex-wrap items-center justify-between gap-x-4 gap-y-0.5 px-4 pt-2.5 pb-1.5">
          <Heading className="text-xs font-semibold text-muted">{title}</Heading>
          {aside !== undefined && <div className="num text-xs text-muted">{aside}</div>}
        </header>
      )}
      <div className={bodyClassName ?? "px-4 pb-4"}>{children}</div>
    </section>
  );
}

/** The first lines of a screen: where we are, what it is, one sentence about it, and what can be done. */
export function PageHeader({
  crumbs,
  title,
  subtitle,
  actions,
}: {
  crumbs?: ReactNode;
  title: ReactNode;
  subtitle?: ReactNode;
  actions?: ReactNode;
}) {
  return (
    <header className="mb-4 flex flex-wrap items-end justify-between gap-x-6 gap-y-3">
      <div className="min-w-0 flex-1 basis-96">
        {crumbs !== undefined && <div className="mb-0.5 text-sm text-muted">{crumbs}</div>}
        <h1 className="text-xl font-semibold text-balance md:text-2xl">{title}</h1>
        {subtitle !== undefined && <p className="mt-1 text-base text-muted">{subtitle}</p>}
      </div>
      {actions !== undefined && <div className="flex flex-wrap items-center gap-2">{actions}</div>}
    </header>
  );
}

/** Name and value, one line each. */
export function Facts({ children }: { children: ReactNode }) {
  return <dl className="grid grid-cols-[minmax(6rem,auto)_1fr] gap-x-4 gap-y-1.5">{children}</dl>;
}

export function Fact({ name, children }: { name: ReactNode; children: ReactNode }) {
  return (
    <>
      <dt className="text-muted">{name}</dt>
      <dd className="num min-w-0 break-words">{children}</dd>
    </>
  );
}
