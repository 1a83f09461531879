// Makes the embedded database, with the tables of pg-boss, in a folder that does not exist: node create-database.js FOLDER
import { PGlite } from '@electric-sql/pglite';
import { fromPglite, PgBoss } from 'pg-boss';

const database = await PGlite.create(process.argv[2] as string);
const boss = new PgBoss({ db: fromPglite(database), backend: 'pglite', schedule: false, supervise: false });
await boss.start();
await boss.stop({ graceful: false });
await database.close();
