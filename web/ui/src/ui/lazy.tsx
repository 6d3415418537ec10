/* A page whose code is fetched when it is first looked at. */
import { signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { ApiError } from '../data/api';
import { Failed, Loading } from './states';

type Component = () => preact.JSX.Element;

export function lazy(load: () => Promise<Component>): Component {
  const found = signal<{ component: Component } | null>(null);
  const failed = signal(false);

  /* A browser does not ask again for a module that it could not get, and after
   * an update of hearth it has another name: the whole page is fetched anew. */
  const retry = () => location.reload();

  return function Lazy() {
    useEffect(() => {
      if (found.value) return;
      load().then(
        (component) => {
          found.value = { component };
        },
        () => {
          failed.value = true;
        },
      );
    }, []);
    if (found.value) {
      const Found = found.value.component;
      return <Found />;
    }
    if (failed.value) return <Failed error={new ApiError(0, {})} retry={retry} />;
    return <Loading />;
  };
}
