import { addToViewer, panelName } from './add-to-mode.ts';
import type { Services } from './ohif.ts';

/** What is used of a mode. */
interface ModeInstance {
  readonly routes: readonly [Route, ...Route[]];
  readonly onModeEnter?: (context: ModeContext) => void;
}

interface Route {
  readonly layoutTemplate: (options: unknown) => Layout;
}

interface Layout {
  readonly props: { readonly rightPanels?: readonly string[] };
}

interface ModeContext {
  readonly servicesManager: { readonly services: Services };
}

interface ModeModule {
  readonly modeInstance?: ModeInstance;
  readonly modeFactory?: (options: object) => ModeInstance | Promise<ModeInstance>;
}

interface FactoryOptions {
  readonly loadModules: (names: readonly string[]) => Promise<readonly ModeModule[]>;
}

const routeName = 'cipherdose';

/** The viewer's own mode, the one with a ready instance from 3.12 on. @throws Error in a version that has neither */
async function baseMode({ loadModules }: FactoryOptions): Promise<ModeInstance> {
  const load = (name: string): Promise<ModeModule | undefined> =>
    loadModules([name]).then(
      ([module]) => module,
      () => undefined,
    );
  const basic = await load('@ohif/mode-basic');
  if (basic?.modeInstance) return basic.modeInstance;
  const longitudinal = await load('@ohif/mode-longitudinal');
  const made = await longitudinal?.modeFactory?.({ modeConfiguration: {} });
  if (made) return made;
  throw new Error('CipherDose does not know this version of OHIF; it is tested in 3.11, 3.12 and 3.13.');
}

/** OHIF's basic viewer with the denoise button and panel. */
const mode = {
  id: '@cipherdose/ohif-mode',
  async modeFactory(options: FactoryOptions) {
    const base = await baseMode(options);
    const [route] = base.routes;
    return {
      ...base,
      id: '@cipherdose/ohif-mode',
      routeName,
      displayName: 'CT denoise (private)',
      hide: false,
      modeModalities: ['CT'],
      routes: [
        {
          ...route,
          path: routeName,
          layoutTemplate(layoutOptions: unknown) {
            const layout = route.layoutTemplate(layoutOptions);
            const rightPanels = [panelName, ...(layout.props.rightPanels ?? [])];
            return { ...layout, props: { ...layout.props, rightPanels, rightPanelClosed: false } };
          },
        },
      ],
      onModeEnter(context: ModeContext) {
        base.onModeEnter?.call(this, context);
        addToViewer(context.servicesManager.services);
      },
    };
  },
};

export default mode;
