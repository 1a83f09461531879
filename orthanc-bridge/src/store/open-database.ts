import type { BridgeConfig } from '../config/config-schema.ts';
import type { Database } from './database.ts';
import { openEmbeddedDatabase } from './embedded-database.ts';
import { openServerDatabase } from './server-database.ts';

/** @throws QUEUE_UNAVAILABLE */
export async function openDatabase(
  { queue, dataFolder }: BridgeConfig,
  onError: (error: Error) => void,
): Promise<Database> {
  return queue.postgres === undefined
    ? openEmbeddedDatabase(dataFolder)
    : openServerDatabase(queue.postgres, onError);
}
