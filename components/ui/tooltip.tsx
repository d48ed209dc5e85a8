"use client";
import {
  cloneElement,
  type FocusEvent,
  type KeyboardEvent,
  type PointerEvent,
  type ReactElement,
  type ReactNode,
  useEffect,
  useId,
  useLayoutEffect,
  useRef,
  useState,
} from "react";
import { createPortal } from "react-dom";

export type TooltipSide = "top" | "right" | "bottom" | "left";

/** What a tooltip listens to on the element it explains. */
interface Listeners {
  readonly onPointerEnter?: ((event: PointerEvent<Element>) => void) | undefined;
  readonly onPointerLeave?: ((event: PointerEvent<Element>) => void) | undefined;
  readonly onPointerDown?: ((event: PointerEvent<Element>) => void) | undefined;
  readonly onFocus?: ((event: FocusEvent<Element>) => void) | undefined;
  readonly onBlur?: ((event: FocusEvent<Element>) => void) | undefined;
  readonly onKeyDown?: ((event: KeyboardEvent<Element>) => void) | undefined;
  readonly "aria-describedby"?: string | undefined;
}

const DELAY_MS = 250;
/** Shortly after one tooltip the next comes at once: the reader is looking around. */
const SKIP_DELAY_MS = 400;
/** Who has pressed it knows what it does; the page may move under the pointer now. */
const QUIET_AFTER_PRESS_MS = 5_000;
let lastHiddenAt = Number.NEGATIVE_INFINITY;

/** A sentence on hover and on keyboard focus. `children` is one element that passes event handlers on. Escape hides it. */
export function Tooltip({
  text,
  children,
  side = "top",
}: {
  text: ReactNode;
  children: ReactElement<Listeners>;
  side?: TooltipSide;
}) {
  const id = useId();
  const [anchor, setAnchor] = useState<Element | null>(null);
  const timer = useRef<ReturnType<typeof setTimeout> | null>(null);
  const pressedAt = useRef(Number.NEGATIVE_INFINITY);
  const cancel = () => {
    if (timer.current !== null) clearTimeout(timer.current);
    timer.current = null;
  };
  const hide = () => {
    cancel();
    if (anchor !== null) lastHiddenAt = performance.now();
    setAnchor(null);
  };
  const show = (element: Element, delayMs: number) => {
    cancel();
    if (delayMs <= 0) setAnchor(element);
    else timer.current = setTimeout(() => setAnchor(element), delayMs);
  };
  useEffect(
    () => () => {
      if (timer.current !== null) clearTimeout(timer.current);
    },
    [],
  );

  const own = children.props;
  const trigger = cloneElement(children, {
    onPointerEnter: (event) => {
      own.onPointerEnter?.(event);
      if (event.pointerType === "touch" || performance.now() - pressedAt.current < QUIET_AFTER_PRESS_MS) return;
      show(event.currentTarget, performance.now() - lastHiddenAt < SKIP_DELAY_MS ? 0 : DELAY_MS);
    },
    onPointerLeave: (event) => {
      own.onPointerLeave?.(event);
      hide();
    },
    onPointerDown: (event) => {
      own.onPointerDown?.(event);
      pressedAt.current = performance.now();
      hide();
    },
    onFocus: (event) => {
      own.onFocus?.(event);
      // A click focuses too; only the keyboard needs the words then.
      if (event.currentTarget.matches(":focus-visible")) show(event.currentTarget, 0);
    },
    onBlur: (event) => {
      own.onBlur?.(event);
      hide();
    },
    onKeyDown: (event) => {
      own.onKeyDown?.(event);
      if (event.key === "Escape" && anchor !== null) {
        event.stopPropagation();
        hide();
      }
    },
    ...(anchor === null ? {} : { "aria-describedby": id }),
  });
  return (
    <>
      {trigger}
      {anchor !== null && <Bubble id={id} anchor={anchor} side={side} text={text} onGone={hide} />}
    </>
  );
}

const GAP_PX = 6;
const EDGE_PX = 8;

function Bubble({
  id,
  anchor,
  side,
  text,
  onGone,
}: {
  id: string;
  anchor: Element;
  side: TooltipSide;
  text: ReactNode;
  onGone: () => void;
}) {
  const ref = useRef<HTMLDivElement>(null);
  const gone = useRef(onGone);
  gone.current = onGone;
  // biome-ignore lint/correctness/useExhaustiveDependencies: another text has another size
  useLayoutEffect(() => {
    const bubble = ref.current;
    if (bubble === null) return;
    const at = place(anchor.getBoundingClientRect(), bubble.getBoundingClientRect(), side);
    bubble.style.left = `${at.left}px`;
    bubble.style.top = `${at.top}px`;
    bubble.style.visibility = "visible";
  }, [anchor, side, text]);
  useEffect(() => {
    const leave = () => gone.current();
    window.addEventListener("scroll", leave, { capture: true, passive: true });
    return () => window.removeEventListener("scroll", leave, { capture: true });
  }, []);
  return createPortal(
    <div
      ref={ref}
      id={id}
      role="tooltip"
      style={{ visibility: "hidden" }}
      className="enter-fade pointer-events-none fixed top-0 left-0 z-60 max-w-80 rounded-md border border-line-strong bg-raised px-2.5 py-1.5 text-xs leading-snug text-ink"
    >
      {text}
    </div>,
    document.body,
  );
}

/** Beside the anchor on the wanted side, on the other one when there is no room, and always inside the window. */
function place(anchor: DOMRect, bubble: DOMRect, side: TooltipSide): { left: number; top: number } {
  const { innerWidth, innerHeight } = window;
  const middleX = anchor.left + anchor.width / 2 - bubble.width / 2;
  const middleY = anchor.top + anchor.height / 2 - bubble.height / 2;
  const above = anchor.top - bubble.height - GAP_PX;
  const below = anchor.bottom + GAP_PX;
  const before = anchor.left - bubble.width - GAP_PX;
  const after = anchor.right + GAP_PX;
  const wanted = {
    top: { left: middleX, top: above < EDGE_PX ? below : above },
    bottom: { left: middleX, top: below + bubble.height > innerHeight - EDGE_PX ? above : below },
    left: { left: before < EDGE_PX ? after : before, top: middleY },
    right: { left: after + bubble.width > innerWidth - EDGE_PX ? before : after, top: middleY },
  }[side];
  return {
    left: Math.max(EDGE_PX, Math.min(wanted.left, innerWidth - bubble.width - EDGE_PX)),
    top: Math.max(EDGE_PX, Math.min(wanted.top, innerHeight - bubble.height - EDGE_PX)),
  };
}
