/** The control plane's API as the demo uses it: JSON, bearer token, an error's own sentence. */
export class ApiClient {
  constructor(
    private readonly baseUrl: string,
    private readonly token: string,
  ) {}

  get<T>(path: string): Promise<T> {
    return this.#send<T>("GET", path, undefined);
  }

  post<T>(path: string, body: unknown): Promise<T> {
    return this.#send<T>("POST", path, body);
  }

  async #send<T>(method: string, path: string, body: unknown): Promise<T> {
    const response = await fetch(`${this.baseUrl}/api/v1/${path}`, {
      method,
      headers: { authorization: `Bearer ${this.token}`, "content-type": "application/json" },
      signal: AbortSignal.timeout(10_000),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} /api/v1/${path}: ${response.status} ${describeProblem(text)}`);
    return (text === "" ? undefined : JSON.parse(text)) as T;
  }
}

function describeProblem(text: string): string {
  try {
    const { title, detail, code } = JSON.parse(text) as { title?: string; detail?: string; code?: string };
    return [title, detail, code].filter((part) => part !== undefined).join(": ");
  } catch {
    return text.slice(0, 300);
  }
}
