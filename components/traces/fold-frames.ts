import type { TraceGroupView } from "../../server/protocol/index.ts";

export type Frame = TraceGroupView["frames"][number];

/** Consecutive frames of one kind: the service's own code, or what it stands upon. */
export interface FrameRun {
  readonly own: boolean;
  readonly frames: readonly Frame[];
}

/** Where runtimes and package managers put code that the service's people did not write, by the path or the name of the frame. */
const libraryFiles: readonly RegExp[] = [
  /(^|[\\/])node_modules[\\/]/,
  /^(node:|internal\/)/,
  /(^|[\\/])(site-packages|dist-packages)[\\/]/,
  /(^|[\\/])lib[\\/]python\d/,
  /^<frozen /,
  /(^|[\\/])(usr|opt)[\\/](local[\\/])?(lib|go[\\/]src)[\\/]/,
  /(^|[\\/])pkg[\\/]mod[\\/]/,
  /(^|[\\/])vendor[\\/]/,
  /(^|[\\/])(\.cargo|rustc)[\\/]/,
];
const libraryFunctions =
  /^(java|javax|jakarta|jdk|sun|kotlin|scala|org\.(springframework|apache|hibernate|postgresql|eclipse)|io\.(netty|grpc|opentelemetry)|com\.(sun|zaxxer|fasterxml))\.|^(runtime|net\/http|database\/sql)\./;

export function isLibraryFrame(frame: Frame): boolean {
  return libraryFiles.some((pattern) => pattern.test(frame.file)) || libraryFunctions.test(frame.function);
}

/** A stack as runs of own and of library frames. One that is library throughout counts as own: there is nothing to fold it beneath. */
export function foldFrames(frames: readonly Frame[]): readonly FrameRun[] {
  const runs: { own: boolean; frames: Frame[] }[] = [];
  const onlyLibrary = frames.every(isLibraryFrame);
  for (const frame of frames) {
    const own = onlyLibrary || !isLibraryFrame(frame);
    const last = runs.at(-1);
    if (last?.own === own) last.frames.push(frame);
    else runs.push({ own, frames: [frame] });
  }
  return runs;
}
