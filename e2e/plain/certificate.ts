import { writeFileSync } from "node:fs";
import type { Installation } from "./installation.ts";
import { run } from "./shell.ts";

/** An authority of our own and a certificate for the control plane's address, as docs/postgresql.md makes them. */
export function makeCertificate(installation: Installation): void {
  const { control } = installation;
  const at = (name: string) => installation.certificate(name);
  const openssl = (...args: readonly string[]) => run(control, ["openssl", ...args]);
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
  openssl(
    "req",
    "-x509",
    ...key,
    "-days",
    "3650",
    "-subj",
    "/CN=Holdfast CA",
    "-keyout",
    at("ca.key"),
    "-out",
    at("ca.crt"),
  );
  openssl("req", "-new", ...key, "-subj", "/CN=holdfast", "-keyout", at("server.key"), "-out", at("server.csr"));
  writeFileSync(at("server.ext"), `subjectAltName=IP:${control.address}\n`);
  // prettier-ignore
  openssl(
    "x509",
    "-req",
    "-in",
    at("server.csr"),
    "-CA",
    at("ca.crt"),
    "-CAkey",
    at("ca.key"),
    "-CAcreateserial",
    "-days",
    "825",
    "-extfile",
    at("server.ext"),
    "-out",
    at("server.crt"),
  );
}
