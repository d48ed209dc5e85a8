import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { checkImports, checkPurity, checkStyle } from "./import-rules.ts";
import { blankLiterals, listImports, readSources, type SourceFile } from "./source-scan.ts";

const sources = readSources(dirname(dirname(fileURLToPath(import.meta.url))));

describe("the house", () => {
  it("is read at all", () => {
    expect(sources.length).toBeGreaterThan(30);
    expect(sources.some((file) => file.path === "server/core/event.ts" && file.imports.length > 0)).toBe(true);
  });

  it("holds its import rules", () => {
    expect(checkImports(sources)).toEqual([]);
  });

  it("keeps the core pure", () => {
    expect(checkPurity(sources)).toEqual([]);
  });

  it("keeps files small, checked and named alike", () => {
    expect(checkStyle(sources)).toEqual([]);
  });
});

describe("the rules themselves", () => {
  const file = (path: string, text: string, imports: readonly string[] = []): SourceFile => ({
    path,
    text,
    code: blankLiterals(text),
    imports,
  });

  it("find imports of every form, and none in comments", () => {
    const text = [
      'import "./a.ts";',
      'import {\n  b,\n} from "./b.ts";',
      'export type * from "./c.ts";',
      'const d = await import("./d.ts");',
      '// import { e } from "./e.ts";',
      '/* export * from "./f.ts"; */',
      'const url = "http://example.org"; import { g } from "pkg/g";',
    ].join("\n");
    expect([...listImports(text)].sort()).toEqual(["./a.ts", "./b.ts", "./c.ts", "./d.ts"]);
  });

  it("name what is forbidden", () => {
    const bad = [
      file("server/core/x.ts", "", ["server/runtime/loop.ts"]),
      file("server/core/y.ts", "", ["node:fs"]),
      file("server/gateway/x.ts", "", ["server/store/postgres/x.ts"]),
      file("app/page.tsx", "", ["server/core/x.ts"]),
      file("agents/x.ts", "", ["server/store/x.ts"]),
      file("server/http/x.ts", "", ["@prisma/client"]),
      file("cli/x.ts", "", ["server/main.ts"]),
    ];
    expect(checkImports(bad)).toHaveLength(bad.length);
  });

  it("allow what the architecture allows", () => {
    const good = [
      file("server/core/x.ts", "", ["server/core/y.ts"]),
      file("server/core/x.test.ts", "", ["vitest", "server/core/x.ts"]),
      file("server/store/postgres/x.ts", "", ["server/ports/store.ts", "@prisma/client", "pg"]),
      file("components/x.tsx", "", ["server/protocol/index.ts", "react"]),
      file("server/store/contract.test.ts", "", ["server/runtime/loop.ts"]),
    ];
    expect(checkImports(good)).toEqual([]);
  });

  it("see impurity in code, not in words", () => {
    const bad = file("server/core/x.ts", 'const at = Date.now();\nsetTimeout(run, 5);\nconst p = process.env["A"];');
    expect(checkPurity([bad])).toHaveLength(3);
    expect(checkPurity([file("server/core/x.ts", '// Date.now()\nconst s = "fetch(url)";\nprocessNode(n);')])).toEqual(
      [],
    );
  });

  it("see long files, silenced checks, foreign colors and odd names", () => {
    expect(checkStyle([file("components/x.tsx", 'const c = "bg-danger text-white";')])).toHaveLength(1);
    expect(checkStyle([file("components/x.tsx", 'const c = "bg-danger text-on-danger border-line";')])).toEqual([]);
    expect(checkStyle([file("server/x.ts", "\n".repeat(401))])).toHaveLength(1);
    expect(checkStyle([file("server/x.ts", "// @ts-ignore")])).toHaveLength(1);
    expect(checkStyle([file("server/X.ts", "")])).toHaveLength(1);
    expect(checkStyle([file("app/[id]/page.tsx", "const s = 1;")])).toEqual([]);
  });
});
