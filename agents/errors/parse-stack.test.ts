import { describe, expect, it } from "vitest";
import { languageOf, makeTrace } from "./make-trace.ts";
import { parseStack } from "./parse-stack.ts";

const javascript = `/srv/shop/src/pay.js:12
    throw new TypeError("card is undefined");
    ^

TypeError: card is undefined
    at charge (/srv/shop/src/pay.js:12:11)
    at async Object.handle (file:///srv/shop/src/server.js:40:5)
    at node:internal/process/task_queues:95:5 {
  [cause]: Error: inner
      at other (/x.js:1:1)
}`;

const python = `Traceback (most recent call last):
  File "/usr/lib/python3/dist-packages/shop/db.py", line 9, in fetch
    cur.execute(q)
KeyError: 'id'

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "/srv/shop/app/main.py", line 21, in handle
    fetch(order)
  File "/srv/shop/app/db.py", line 14, in fetch
    raise ShopError("no order: 7") from e
shop.errors.ShopError: no order: 7`;

const java = `Exception in thread "main" java.lang.RuntimeException: order failed
	at com.shop.Orders.place(Orders.java:31)
	at com.shop.Main.main(Main.java:10)
Caused by: java.net.ConnectException: Connection refused
	at java.base/sun.nio.ch.Net.connect0(Native Method)
	at app//com.shop.Pay.charge(Pay.java:88)
	... 1 more`;

const go = `2026/11/27 10:00:00 http: panic serving 127.0.0.1:3000
panic: runtime error: index out of range [5] with length 3

goroutine 18 [running]:
panic({0x4a1c20, 0xc0000b6000})
	/usr/local/go/src/runtime/panic.go:884 +0x212
main.(*Cart).Total(0xc00009c000)
	/srv/shop/src/cart.go:42 +0x1d
main.main()
	/srv/shop/src/main.go:9 +0x25`;

describe("a stack trace", () => {
  it("of JavaScript", () => {
    expect(parseStack(javascript)).toEqual({
      language: "javascript",
      type: "TypeError",
      message: "card is undefined",
      frames: [
        { function: "charge", file: "src/pay.js", line: 12 },
        { function: "Object.handle", file: "src/server.js", line: 40 },
        { function: "(anonymous)", file: "node:internal/process/task_queues", line: 95 },
      ],
    });
  });

  it("of Python: the exception that was raised last, innermost frame first", () => {
    expect(parseStack(python)).toEqual({
      language: "python",
      type: "shop.errors.ShopError",
      message: "no order: 7",
      frames: [
        { function: "fetch", file: "app/db.py", line: 14 },
        { function: "handle", file: "app/main.py", line: 21 },
      ],
    });
  });

  it("of Java: the root cause", () => {
    expect(parseStack(java)).toEqual({
      language: "java",
      type: "java.net.ConnectException",
      message: "Connection refused",
      frames: [
        { function: "sun.nio.ch.Net.connect0", file: "Native Method", line: null },
        { function: "com.shop.Pay.charge", file: "Pay.java", line: 88 },
      ],
    });
  });

  it("of Go: without the frames of the panic itself", () => {
    expect(parseStack(go)).toEqual({
      language: "go",
      type: "runtime error: index out of range [5] with length 3",
      message: "runtime error: index out of range [5] with length 3",
      frames: [
        { function: "main.(*Cart).Total", file: "src/cart.go", line: 42 },
        { function: "main.main", file: "src/main.go", line: 9 },
      ],
    });
  });

  it("has no line where a number is greater than any file is long", () => {
    const stack = "Error: x\n    at f (a.js:99999999999999999999:1)";
    expect(parseStack(stack)?.frames).toEqual([{ function: "f", file: "a.js", line: null }]);
  });

  it("has a language that we know, whatever a client calls it", () => {
    expect(["nodejs", "Python", "constructor", "__proto__"].map(languageOf)).toEqual([
      "javascript",
      "python",
      "other",
      "other",
    ]);
  });

  it("is none in ordinary text", () => {
    for (const text of ["", "all is well", "at noon: nothing", "a\nb\nc"]) expect(parseStack(text)).toBeNull();
  });

  it("takes no time worth mentioning however it is made", () => {
    const hostile = [
      "    at ".repeat(2_000),
      `    at ${"(".repeat(5_000)}`,
      `${"a.".repeat(5_000)}: x\n    at f (a:1:1)`,
    ];
    for (const text of hostile) parseStack(text);
    expect(
      makeTrace({ service: "s", language: "other", type: "", message: "", stack: hostile[2] ?? "", traceId: null }).type
        .length,
    ).toBeLessThanOrEqual(200);
  });
});
