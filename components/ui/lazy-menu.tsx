"use client";
import { type ComponentType, cloneElement, type ReactElement, useState } from "react";

interface TriggerProps {
  readonly onPointerEnter?: () => void;
  readonly onFocus?: () => void;
  readonly onClick?: () => void;
  readonly "aria-haspopup"?: "menu";
  readonly "aria-expanded"?: boolean;
}

export interface LoadedMenuProps {
  readonly trigger: ReactElement;
  readonly defaultOpen: boolean;
}

/**
 * A button whose menu is loaded when somebody is about to open it: menus are most of a page's code and seldom opened.
 * `load` answers with a component that renders `<Menu trigger defaultOpen>`.
 */
export function LazyMenu({
  trigger,
  load,
}: {
  trigger: ReactElement<TriggerProps>;
  load: () => Promise<ComponentType<LoadedMenuProps>>;
}) {
  const [Loaded, setLoaded] = useState<ComponentType<LoadedMenuProps> | null>(null);
  if (Loaded !== null) return <Loaded trigger={trigger} defaultOpen />;
  const prepare = () => void load();
  return cloneElement(trigger, {
    onPointerEnter: prepare,
    onFocus: prepare,
    onClick: () => void load().then((component) => setLoaded(() => component)),
    "aria-haspopup": "menu",
    "aria-expanded": false,
  });
}
