/** Rejects at the first signal that ends a program. Further ones change nothing: what was started has to be ended first. */
export function untilSignalled(): Promise<never> {
  const ending = new Promise<never>((_, reject) => {
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
      process.on(signal, () => reject(new Error(`Ended by ${signal}.`)));
    }
  });
  ending.catch(() => undefined);
  return ending;
}
