import type { ComponentChildren } from 'preact';
import { language, languages, setLanguage } from '../i18n';
import { Logo } from '../ui/icon';

/* The frame of the two pages in front of the door: claim and log in. */
export function Gate({ title, text, children }: {
  title: string;
  text: string;
  children: ComponentChildren;
}) {
  return (
    <main class="gate">
      <div class="card gate-card">
        <Logo size={56} />
        <h1>{title}</h1>
        <p class="muted">{text}</p>
        {children}
      </div>
      <p class="gate-languages">
        {languages.map(([code, name]) => (
          <button
            type="button"
            key={code}
            class="link-button"
            lang={code}
            aria-pressed={language.value === code}
            onClick={() => void setLanguage(code)}
          >
            {name}
          </button>
        ))}
      </p>
    </main>
  );
}
