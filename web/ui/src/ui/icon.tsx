import { paths } from './icon-paths';
import type { IconName } from './icon-paths';

/* Decoration: the text beside it, or the button's label, says it. */
export function Icon({ name, size = 20 }: { name: IconName; size?: number }) {
  return (
    <svg
      class="icon"
      width={size}
      height={size}
      viewBox="0 0 24 24"
      fill="none"
      stroke="currentColor"
      stroke-width="1.8"
      stroke-linecap="round"
      stroke-linejoin="round"
      aria-hidden="true"
      focusable="false"
    >
      <path d={paths[name]} />
    </svg>
  );
}

/* The name of the thing: a flame in a hearth. */
export function Logo({ size = 32 }: { size?: number }) {
  return (
    <svg
      class="logo"
      width={size}
      height={size}
      viewBox="0 0 32 32"
      aria-hidden="true"
      focusable="false"
    >
      <rect class="logo-ground" width="32" height="32" rx="9" />
      <path
        class="logo-arch"
        d="M6.5 25.5V15a9.5 9.5 0 0 1 19 0v10.5"
        fill="none"
        stroke-width="2.4"
        stroke-linecap="round"
      />
      <path
        class="logo-flame"
        d="M16.4 11c.6 2.7 2 3.6 3.3 5.2.9 1.1 1.5 2.3 1.5 3.900a5.2 5.2 0 0 1-10.4.1c0-1.5.5-2.7 1.3-3.7.3 1.4 1 2.1 1.8 2.3-.4-3 .4-5.8 2.5-7.800z"
      />
    </svg>
  );
}
