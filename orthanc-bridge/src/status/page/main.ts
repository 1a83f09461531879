import type { LiveMessage, Overview } from '../views.ts';
import { showActivity } from './activity-view.ts';
import { get, post, Refusal, whenLoginNeeded } from './bridge-api.ts';
import { PageState } from './bridge-state.ts';
import { byId } from './elements.ts';
import { drawHistory } from './history-plots.ts';
import { fillPatientNames, type JobContext } from './job-views.ts';
import { forgetPicturesOnClose } from './pictures.ts';
import { listenToTrial, showRules } from './rules-view.ts';
import { render } from './series-view.ts';

/** Now and then everything is asked anew: other bridges on the same database are not heard live. */
const refreshMs = 15_000;
const paintMs = 50;
const liveEvents: readonly LiveMessage['event'][] = ['job', 'progress', 'peer', 'paused'];

let state: PageState | undefined;
let stream: EventSource | undefined;
let drawing = false;
const askedSince = new Set<LiveMessage[]>();
const patientNames = new Map<string, Promise<string>>();

async function enter(): Promise<void> {
  try {
    await refresh();
  } catch (error) {
    if (error instanceof Refusal && error.code === 'LOGIN_NEEDED') return;
    notice(error);
  }
  byId('login').hidden = true;
  byId('page').hidden = false;
  listen();
  await attempt(showView);
}

function leave(): void {
  stream?.close();
  stream = undefined;
  state = undefined;
  patientNames.clear();
  byId('page').hidden = true;
  byId('login').hidden = false;
  byId('login-name', HTMLInputElement).focus();
}

/** What comes while the overview is asked for may be newer than the answer. */
async function refresh(): Promise<void> {
  const meanwhile: LiveMessage[] = [];
  askedSince.add(meanwhile);
  try {
    state = new PageState(await get<Overview>('/api/overview'));
  } finally {
    askedSince.delete(meanwhile);
  }
  for (const message of meanwhile) state.apply(message);
  paint();
}

/** Several messages are drawn at once. */
function paint(): void {
  if (drawing) return;
  drawing = true;
  setTimeout(() => {
    drawing = false;
    if (!state) return;
    const context: JobContext = { overview: state.overview, attempt };
    render(state, context);
    if (state.overview.shows.patientNames) fillPatientNames(patientNames);
  }, paintMs);
}

function listen(): void {
  stream?.close();
  stream = new EventSource('/api/events');
  stream.addEventListener('open', () => {
    connection('live');
    void refresh().catch(notice);
  });
  stream.addEventListener('error', () => connection('connecting …'));
  for (const event of liveEvents)
    stream.addEventListener(event, (message: MessageEvent<string>) => {
      const live = { event, data: JSON.parse(message.data) as never } as LiveMessage;
      for (const meanwhile of askedSince) meanwhile.push(live);
      if (!state) return;
      const counted = state.apply(live);
      paint();
      if (counted) void drawSeries().catch(notice);
    });
}

function connection(text: string): void {
  const place = byId('connection');
  place.textContent = text;
  place.dataset['live'] = String(text === 'live');
}

const drawSeries = async (): Promise<void> => {
  if (view() === 'series') await drawHistory(byId('history-hours', HTMLSelectElement).value);
};

const view = (): string => ['rules', 'activity'].find((name) => location.hash === `#${name}`) ?? 'series';

async function showView(): Promise<void> {
  const chosen = view();
  for (const name of ['series', 'rules', 'activity']) byId(`view-${name}`).hidden = name !== chosen;
  for (const link of document.querySelectorAll('nav a')) {
    if (link.getAttribute('href') === `#${chosen}`) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
  if (chosen === 'rules' && state) await showRules(state.overview);
  else if (chosen === 'activity') await showActivity();
  else await drawSeries();
}

async function attempt(task: () => Promise<void>): Promise<void> {
  byId('notice').hidden = true;
  await task().catch(notice);
}

function notice(error: unknown): void {
  if (error instanceof Refusal && error.code === 'LOGIN_NEEDED') return;
  const place = byId('notice');
  place.textContent = error instanceof Refusal ? error.message : 'The bridge cannot be reached.';
  place.hidden = false;
}

async function logIn(): Promise<void> {
  const [name, password] = [byId('login-name', HTMLInputElement), byId('login-password', HTMLInputElement)];
  const error = byId('login-error');
  error.textContent = '';
  try {
    await post('/api/login', { name: name.value, password: password.value });
  } catch (failure) {
    error.textContent = failure instanceof Refusal ? failure.message : 'The bridge cannot be reached.';
    password.select();
    return;
  } finally {
    password.value = '';
  }
  await enter();
}

whenLoginNeeded(leave);
forgetPicturesOnClose();
listenToTrial();
byId('login-form', HTMLFormElement).addEventListener('submit', (event) => {
  event.preventDefault();
  void logIn();
});
byId('logout').addEventListener('click', () => void attempt(() => post('/api/logout')).then(leave));
byId('pause').addEventListener('click', () => {
  const order = state?.overview.paused === true ? 'resume' : 'pause';
  void attempt(() => post(`/api/${order}`));
});
byId('history-hours').addEventListener('change', () => void attempt(drawSeries));
addEventListener('hashchange', () => void attempt(showView));
addEventListener('resize', () => void drawSeries().catch(notice));
setInterval(() => {
  if (state && document.visibilityState === 'visible') void refresh().catch(notice);
}, refreshMs);

await enter();
