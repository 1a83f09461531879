import axe from 'axe-core';
import type { Page } from 'playwright-core';

/**
 * What axe finds of serious or critical impact, each with the element.
 * @param within selector of the part that is looked at; default: the whole page
 */
export async function seriousViolations(page: Page, within?: string): Promise<readonly string[]> {
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate((selector) => {
    const { axe: loaded } = globalThis as unknown as { axe: typeof axe };
    return selector === undefined ? loaded.run() : loaded.run(selector);
  }, within);
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`));
}
