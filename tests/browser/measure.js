// How heavy the page is, how soon the first card is there, and how many decisions a minute the keyboard can make.
// `npm ci && node measure.js` in this folder; PALABRE_BIN=../../target/release/palabre measures what is delivered.
import { browse, current, Newspaper, open, stop, until } from './harness.js';

const LOADS = 15;
const CARDS = 200;

const middle = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];

async function weigh(page) {
	const requests = [];
	const note = (request) => /\/moderation(\/[\w-]+\.\w+)?$/.test(new URL(request.url()).pathname) && requests.push(request);
	page.on('requestfinished', note);
	await page.goto('about:blank');
	await page.goto('/moderation');
	await page.locator('.card').first().waitFor();
	page.off('requestfinished', note);
	const sizes = await Promise.all(requests.map(async (request) => {
		const { responseBodySize, responseHeadersSize } = await request.sizes();
		return [(await (await request.response()).body()).length, responseBodySize, responseHeadersSize];
	}));
	const [plain, packed, headers] = [0, 1, 2].map((column) => sizes.reduce((sum, row) => sum + row[column], 0));
	console.log(`first load: ${requests.length} files, ${plain} bytes, ${packed} on the wire and ${headers} of headers`);
}

async function time(page, what) {
	const times = [];
	for (let load = 0; load < LOADS; load += 1) {
		await page.goto('about:blank');
		await page.goto('/moderation');
		const first = await page.waitForFunction(() => window.firstCard);
		times.push(await first.jsonValue());
	}
	console.log(`first card, ${what}: ${Math.round(middle(times))} ms, at most ${Math.round(Math.max(...times))} ms, of ${LOADS} loads`);
}

async function decide(page, paper, held) {
	await page.goto('/moderation');
	await current(page).waitFor();
	const begun = performance.now();
	for (let n = 0; n < CARDS; n += 1) {
		await page.locator('.card.current:focus').waitFor();
		await page.keyboard.press(n % 3 ? 'h' : 'a');
	}
	await until(async () => await page.locator('.card').count() === 0, 'all are decided');
	for (const comment of held.slice(-6)) await until(async () => (await paper.comment(comment)).status !== 'pending', 'the last is stored');
	const seconds = (performance.now() - begun) / 1000;
	console.log(`decisions: ${Math.round((60 * CARDS) / seconds)} a minute, ${CARDS} in ${seconds.toFixed(1)} s, each stored`);
}

try {
	await open();
	const paper = await Newspaper.found();
	const held = await paper.hold(Array.from({ length: CARDS }, (_, n) => `Remarque ${n}.`));
	const page = await paper.seat();
	await page.addInitScript(() => {
		new MutationObserver((_, observer) => {
			if (!document.querySelector('.card')) return;
			observer.disconnect();
			// When it is painted.
			requestAnimationFrame(() => setTimeout(() => { window.firstCard = performance.now(); }));
		}).observe(document, { childList: true, subtree: true });
	});
	await time(page, 'known page');
	// A context of its own has nothing in its cache.
	const fresh = await browse();
	await fresh.context().addCookies(await page.context().cookies());
	await weigh(fresh);
	await decide(page, paper, held);
} finally {
	await stop();
}
