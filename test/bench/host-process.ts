// A model host in a process of its own, so that its memory can be told from the client's. Sends its address to the
// parent and stops with it.
import { startHost } from '@cipherdose/server';

const [threads, models] = process.argv.slice(2);
const host = await startHost({ threads: Number(threads), ...(models === undefined ? {} : { models }) });
process.on('disconnect', () => void host.close().then(() => process.exit(0)));
process.send?.({ url: host.url });
