/** The control plane's API as the demo uses it: JSON, and an error's own sentence. */
export class ApiClient {
  constructor(
    private readonly baseUrl: string,
    /** Of every request: who asks. */
    private readonly headers: Readonly<Record<string, string>>,
  ) {}

  /**
   * Signs in with a one-time token and makes an administrator's API token, so that no session can run out under the demo.
   */
  static async enter(baseUrl: string, oneTimeToken: string): Promise<ApiClient> {
    const origin = { origin: baseUrl };
    const entered = await new ApiClient(baseUrl, origin).#send("POST", "sign-in/once", { token: oneTimeToken });
    const cookie = entered.headers
      .getSetCookie()
      .map((each) => each.split(";")[0])
      .join("; ");
    const session = new ApiClient(baseUrl, { ...origin, cookie });
    const { csrfToken } = await session.get<{ readonly csrfToken: string }>("session");
    const signedIn = new ApiClient(baseUrl, { ...origin, cookie, "x-csrf-token": csrfToken });
    const made = await signedIn.post<{ readonly token: string }>("tokens", {
      name: "demo",
      role: "admin",
      expiresInDays: 7,
    });
    return new ApiClient(baseUrl, { authorization: `Bearer ${made.token}` });
  }

  async get<T>(path: string): Promise<T> {
    return readBody<T>(await this.#send("GET", path, undefined));
  }

  async post<T>(path: string, body: unknown): Promise<T> {
    return readBody<T>(await this.#send("POST", path, body));
  }

  async #send(method: string, path: string, body: unknown): Promise<Response> {
    const response = await fetch(`${this.baseUrl}/api/v1/${path}`, {
      method,
      headers: { ...this.headers, "content-type": "application/json" },
      signal: AbortSignal.timeout(10_000),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (response.ok) return response;
    throw new Error(`${method} /api/v1/${path}: ${response.status} ${describeProblem(await response.text())}`);
  }
}

async function readBody<T>(response: Response): Promise<T> {
  const text = await response.text();
  return (text === "" ? undefined : JSON.parse(text)) as T;
}

function describeProblem(text: string): string {
  try {
    const { title, detail, code } = JSON.parse(text) as { title?: string; detail?: string; code?: string };
    return [title, detail, code].filter((part) => part !== undefined).join(": ");
  } catch {
    return text.slice(0, 300);
  }
}
