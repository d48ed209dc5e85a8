import { createPrivateKey, createPublicKey, sign, verify } from "node:crypto";
import { betterAuth } from "better-auth";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Backend, OpenBackend } from "./backend.ts";
import { now } from "./fixtures.ts";

/** What sign-in, enrolment and the sender of commands rely on. */
export function describeIdentityContract(getBackend: () => Backend): void {
  let backend: OpenBackend;
  beforeEach(async () => {
    backend = await getBackend().open();
  });
  afterEach(() => backend.close());

  describe("enrolment tokens", () => {
    const token = { hash: "h1", labels: { zone: "z1" }, node: "pg-a", expiresAt: now + 1_000, createdBy: "ada" };

    it("is consumed by one of twenty that come at the same time", async () => {
      const directories = [backend.stores, backend.openAnother()].map((stores) => stores.directory);
      await directories[0]?.createEnrolmentToken(token);
      const outcomes = await Promise.all(
        Array.from({ length: 20 }, (_, index) => directories[index % 2]?.consumeEnrolmentToken("h1", now)),
      );
      expect(outcomes.filter((outcome) => outcome?.ok)).toEqual([{ ok: true, labels: { zone: "z1" }, node: "pg-a" }]);
      expect(outcomes.filter((outcome) => outcome?.ok === false && outcome.code === "token-used")).toHaveLength(19);
    });

    it("is refused when unknown or expired", async () => {
      const { directory } = backend.stores;
      await directory.createEnrolmentToken(token);
      expect(await directory.consumeEnrolmentToken("h2", now)).toEqual({ ok: false, code: "token-unknown" });
      expect(await directory.consumeEnrolmentToken("h1", now + 1_000)).toEqual({ ok: false, code: "token-expired" });
    });
  });

  describe("keys and counters", () => {
    it("has one server key for every process, which signs", async () => {
      const keys = await Promise.all([backend.stores, backend.openAnother()].map((each) => each.directory.serverKey()));
      expect(keys[0]).toEqual(keys[1]);
      const privateKey = createPrivateKey({
        key: Buffer.from(keys[0]?.privateKey ?? "", "base64url"),
        format: "der",
        type: "pkcs8",
      });
      const publicKey = createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x: keys[0]?.publicKey }, format: "jwk" });
      const text = Buffer.from("holdfast");
      expect(verify(null, text, publicKey, sign(null, text, privateKey))).toBe(true);
    });

    it("gives out growing counters, never the same twice, also to several at once and after a restart", async () => {
      const { directory } = backend.stores;
      const first = await Promise.all(Array.from({ length: 250 }, () => directory.nextCounter("key-a")));
      expect(new Set(first).size).toBe(250);
      const alone = [await directory.nextCounter("key-a"), await directory.nextCounter("key-a")];
      expect(alone[0]).toBeGreaterThan(Math.max(...first));
      expect(alone[1]).toBeGreaterThan(alone[0] ?? 0);
      expect(await backend.openAnother().directory.nextCounter("key-a")).toBeGreaterThan(alone[1] ?? 0);
      expect(await directory.nextCounter("key-b")).toBeGreaterThan(0);
    });
  });

  describe("users and roles", () => {
    const createAuth = () =>
      betterAuth({
        baseURL: "http://127.0.0.1",
        secret: "a secret for tests only, thirty-two",
        database: backend.stores.createAuthDatabase(),
        emailAndPassword: { enabled: true },
        logger: { disabled: true },
      });
    const signUp = async (auth: ReturnType<typeof createAuth>, name: string) =>
      (await auth.api.signUpEmail({ body: { name, email: `${name}@example.org`, password: "correct horse battery" } }))
        .user.id;

    it("signs users up and in through better-auth on the same database, and lists them with their roles", async () => {
      const auth = createAuth();
      const { identity } = backend.stores;
      const ada = await signUp(auth, "ada");
      expect(await identity.userCount()).toBe(1);
      expect(await identity.roleOf(ada)).toBeNull();
      expect(await identity.setRole(ada, "operator")).toBe("changed");
      expect(await identity.listUsers()).toMatchObject([{ id: ada, email: "ada@example.org", role: "operator" }]);
      const { token } = await auth.api.signInEmail({
        body: { email: "ada@example.org", password: "correct horse battery" },
      });
      expect(token).toBeTruthy();
      await expect(
        auth.api.signInEmail({ body: { email: "ada@example.org", password: "wrong horse battery" } }),
      ).rejects.toThrow();
      await expect(signUp(auth, "ada")).rejects.toThrow();
    });

    it("ends every session of a user whose role changed, and of nobody else", async () => {
      const auth = createAuth();
      const { identity } = backend.stores;
      const ada = await signUp(auth, "ada");
      const bob = await signUp(auth, "bob");
      const headers = async (name: string) => {
        const { headers: sent } = await auth.api.signInEmail({
          body: { email: `${name}@example.org`, password: "correct horse battery" },
          returnHeaders: true,
        });
        return new Headers({
          cookie: sent
            .getSetCookie()
            .map((each) => each.split(";")[0])
            .join("; "),
        });
      };
      const [adas, bobs] = [await headers("ada"), await headers("bob")];
      expect((await auth.api.getSession({ headers: adas }))?.user.id).toBe(ada);
      expect(await identity.setRole(ada, "viewer")).toBe("changed");
      expect(await auth.api.getSession({ headers: adas })).toBeNull();
      expect((await auth.api.getSession({ headers: bobs }))?.user.id).toBe(bob);
      expect(await identity.setRole(ada, "viewer")).toBe("unchanged");
      expect(await identity.endSessions(bob)).toBe(2);
      expect(await auth.api.getSession({ headers: bobs })).toBeNull();
    });

    it("makes one of two concurrent claimants the first administrator, and keeps the last one", async () => {
      const auth = createAuth();
      const { identity } = backend.stores;
      const [ada, bob] = [await signUp(auth, "ada"), await signUp(auth, "bob")];
      const other = backend.openAnother().identity;
      const claims = await Promise.all([identity.claimFirstAdmin(ada), other.claimFirstAdmin(bob)]);
      expect(claims.filter(Boolean)).toHaveLength(1);
      const [first, second] = claims[0] ? [ada, bob] : [bob, ada];
      expect(await identity.claimFirstAdmin(second)).toBe(false);
      expect(await identity.setRole(first, "viewer")).toBe("last-admin");
      expect(await identity.setRole(second, "admin")).toBe("changed");
      const demoted = await Promise.all([identity.setRole(first, null), other.setRole(second, null)]);
      expect(demoted.sort()).toEqual(["changed", "last-admin"]);
      expect(await identity.setRole("nobody", "admin")).toBe("unknown-user");
      expect(await identity.claimFirstAdmin("nobody")).toBe(false);
    });
  });

  describe("API tokens", () => {
    const token = { hash: "h1", name: "ci", role: "operator", createdBy: "ada", expiresAt: null } as const;

    it("is found by its hash until it is revoked, and never shown with it", async () => {
      const { identity } = backend.stores;
      const { id } = await identity.createApiToken(token, now);
      expect(await identity.findApiToken("h1", now + 5)).toMatchObject({ id, role: "operator", lastUsedAt: now + 5 });
      expect(await identity.findApiToken("h2", now)).toBeNull();
      const [listed] = await identity.listApiTokens();
      expect(listed).toEqual({
        id,
        lockPrefixes: [],
        name: "ci",
        role: "operator",
        createdBy: "ada",
        createdAt: now,
        expiresAt: null,
        revokedAt: null,
        lastUsedAt: now + 5,
      });
      expect(await identity.revokeApiToken(id, now + 9)).toBe(true);
      expect(await identity.revokeApiToken(id, now + 9)).toBe(false);
      expect(await identity.findApiToken("h1", now + 10)).toBeNull();
    });

    it("expires, and notes its use to the minute", async () => {
      const { identity } = backend.stores;
      await identity.createApiToken({ ...token, role: "application", expiresAt: now + 100_000 }, now);
      expect((await identity.findApiToken("h1", now))?.lastUsedAt).toBe(now);
      expect((await identity.findApiToken("h1", now + 30_000))?.lastUsedAt).toBe(now);
      expect((await identity.findApiToken("h1", now + 70_000))?.lastUsedAt).toBe(now + 70_000);
      expect(await identity.findApiToken("h1", now + 100_000)).toBeNull();
    });
  });

  describe("samples", () => {
    const sample = (name: string, at: number, value: number) => ({ subject: "node:pg-a", name, at, value });

    it("answers with means on a common grid, null where a series has nothing", async () => {
      const { samples } = backend.stores;
      await samples.appendSamples([
        sample("cpu", 10_000, 0.25),
        sample("cpu", 12_000, 0.75),
        sample("cpu", 30_000, 1),
        sample("lagBytes", 20_500, 64),
        { subject: "node:pg-b", name: "cpu", at: 10_000, value: 9 },
      ]);
      expect(await samples.readSeries("node:pg-a", ["cpu", "lagBytes", "none"], 10_000, 40_000, 10_000)).toEqual({
        t: [10_000, 20_000, 30_000],
        series: { cpu: [0.5, null, 1], lagBytes: [null, 64, null], none: [null, null, null] },
      });
      expect((await samples.readSeries("node:pg-a", ["cpu"], 10_000, 30_000, 10_000)).t).toEqual([10_000]);
    });

    it("replaces a sample of the same time, takes the last of one batch, and drops what is old", async () => {
      const { samples } = backend.stores;
      await samples.appendSamples([sample("cpu", 1_000, 1), sample("cpu", 1_000, 2)]);
      await samples.appendSamples([sample("cpu", 1_000, 3), sample("cpu", 2_000, 4)]);
      const read = () => samples.readSeries("node:pg-a", ["cpu"], 0, 10_000, 1_000);
      expect((await read()).series.cpu).toEqual([3, 4]);
      expect(await samples.dropSamplesBefore(2_000)).toBe(1);
      expect((await read()).t).toEqual([2_000]);
    });

    it("answers a too fine request with wider steps", async () => {
      const { samples } = backend.stores;
      await samples.appendSamples(Array.from({ length: 6_000 }, (_, index) => sample("cpu", index * 10, index)));
      expect((await samples.readSeries("node:pg-a", ["cpu"], 0, 60_000, 1)).t.length).toBeLessThanOrEqual(5_000);
    });
  });
}
