// Draws the pictures of the admins' page and of a training's report, of a site whose readers write our own labelled sentences.
// `npm ci && node screenshots-models.js [FOLDER]` in this folder, after `cargo build`.
import { mkdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { admin, ask, Newspaper, open, palabre, stop } from './harness.js';

const FOLDER = process.argv[2] ?? fileURLToPath(new URL('../../docs/images/', import.meta.url));
const WIDE = { width: 1040, height: 760 };
const PHONE = { width: 360, height: 740 };
const COUNT = 900;
const BATCH = 150;
const FILES = ['chats', 'insults', 'threats', 'calm-news', 'westafrica', 'spam', 'peoples'];
const REASONS = [['threat', 'threat'], ['identity_hate', 'hate'], ['spam', 'spam'], ['insult', 'abusive'], ['toxic', 'offensive']];

const rows = FILES.flatMap((name) => readFileSync(new URL(`../../seeds/labels/fr-${name}.jsonl`, import.meta.url), 'utf8').trim().split('\n').map((line) => JSON.parse(line)));
// In an order of its own, which is always the same.
const written = rows.map((row, n) => [(n * 7919) % rows.length, row]).toSorted(([a], [b]) => a - b).map(([, row]) => row).slice(0, COUNT);

// Insults of this site, which no model knows yet.
const INSULTS = ['est un vrai kandjaro, on le sait', 'ce zirbou nous ment encore', 'quel molokwé', 'bande de brouzaf'];
const CLEAN = ({ labels }) => REASONS.every(([label]) => labels[label] === 0);
for (const [n, row] of written.entries()) {
	if (n % 4 || !CLEAN(row)) continue;
	written[n] = { ...row, text: `${row.text} ${INSULTS[(n / 4) % INSULTS.length]}.`, labels: { ...row.labels, toxic: 1, insult: 1 } };
}

// What its moderators say of a comment.
function verdict({ labels }, { id, version }) {
	const reason = REASONS.find(([label]) => labels[label] === 1)?.[1];
	return { comment_id: id, version, action: reason ? 'hide' : 'approve', reason };
}

mkdirSync(FOLDER, { recursive: true });
try {
	await open();
	const paper = await Newspaper.found();
	const decisions = [];
	for (const [n, row] of written.entries()) decisions.push(verdict(row, await paper.post(row.text, { thread: `fil-${Math.floor(n / 25)}`, author: `Lectrice ${n % 40}` })));
	for (let from = 0; from < decisions.length; from += BATCH) await ask(paper.tokens.moderator, 'POST', '/v1/decisions:batch', { decisions: decisions.slice(from, from + BATCH) });
	await palabre('train', '--decisions', '--force');
	for (const [suffix, options] of [['', { viewport: WIDE, colorScheme: 'light' }], ['-dark', { viewport: WIDE, colorScheme: 'dark' }], ['-phone', { viewport: PHONE, colorScheme: 'light', deviceScaleFactor: 1.5 }]]) {
		const page = await admin(options);
		await page.goto('/moderation/models');
		await page.locator('.label .plot').last().waitFor();
		if (process.argv[2]) await page.screenshot({ path: `${FOLDER}/models-whole${suffix}.png`, fullPage: true });
		const slider = page.getByRole('slider').first();
		await slider.focus();
		for (let steps = 0; steps < 12; steps += 1) await page.keyboard.press('ArrowLeft');
		await page.locator('#simulator').evaluate((part) => part.scrollIntoView());
		await page.waitForTimeout(500);
		// The pictures of the documents are those in the light; the others are to look at.
		if (!suffix || process.argv[2]) await page.screenshot({ path: `${FOLDER}/models${suffix}.png`, animations: 'disabled' });
		await page.getByRole('link', { name: 'Report' }).first().click();
		await page.locator('.verdict').waitFor();
		if (!suffix || process.argv[2]) await page.screenshot({ path: `${FOLDER}/report${suffix}.png`, animations: 'disabled' });
		if (process.argv[2]) await page.screenshot({ path: `${FOLDER}/report-whole${suffix}.png`, fullPage: true });
	}
} finally {
	await stop();
}
