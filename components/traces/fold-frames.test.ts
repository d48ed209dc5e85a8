import { describe, expect, it } from "vitest";
import { type Frame, foldFrames, isLibraryFrame } from "./fold-frames.ts";

const frame = (file: string, name = "run"): Frame => ({ function: name, file, line: 1 });

describe("frames of a stack", () => {
  it.each([
    ["/srv/shop/node_modules/pg/lib/client.js", "query"],
    ["node:internal/process/task_queues", "processTicksAndRejections"],
    ["/usr/lib/python3.11/asyncio/events.py", "_run"],
    ["/srv/app/.venv/lib/python3.12/site-packages/flask/app.py", "dispatch"],
    ["<frozen importlib._bootstrap>", "_find_and_load"],
    ["HashMap.java", "java.util.HashMap.get"],
    ["DispatcherServlet.java", "org.springframework.web.servlet.DispatcherServlet.doDispatch"],
    ["/usr/local/go/src/net/http/server.go", "net/http.HandlerFunc.ServeHTTP"],
    ["/home/x/go/pkg/mod/github.com/lib/pq@v1.10.9/conn.go", "pq.(*conn).exec"],
  ])("knows library code: %s %s", (file, name) => {
    expect(isLibraryFrame(frame(file, name))).toBe(true);
  });

  it.each([
    ["/srv/shop/src/checkout.js", "pay"],
    ["checkout.js", "pay"],
    ["/srv/app/views.py", "order"],
    ["Orders.java", "com.example.shop.Orders.place"],
    ["/srv/orders/main.go", "main.place"],
    ["/srv/libraries/own.js", "run"],
  ])("knows own code: %s %s", (file, name) => {
    expect(isLibraryFrame(frame(file, name))).toBe(false);
  });

  it("become runs in their order; nothing is lost", () => {
    const frames = [
      frame("a.js"),
      frame("node_modules/x/i.js"),
      frame("node_modules/y/i.js"),
      frame("b.js"),
      frame("c.js"),
    ];
    const runs = foldFrames(frames);
    expect(runs.map((run) => [run.own, run.frames.length])).toEqual([
      [true, 1],
      [false, 2],
      [true, 2],
    ]);
    expect(runs.flatMap((run) => run.frames)).toEqual(frames);
  });

  it("of a stack that is library throughout all stay open", () => {
    expect(foldFrames([frame("node:fs"), frame("node_modules/x.js")])).toMatchObject([{ own: true }]);
    expect(foldFrames([])).toEqual([]);
  });
});
