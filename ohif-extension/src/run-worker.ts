// The worker of a run; a file of its own, so that it can be loaded by its address.
import './run-worker/serve-run.ts';
