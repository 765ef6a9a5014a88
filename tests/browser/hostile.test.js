import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ask, browse, card, Newspaper, scrollsSideways, testing, until } from './harness.js';

await testing();

const MARKUP = '<script>window.hacked=1</script><img src=x onerror="window.hacked=1"><svg onload=window.hacked=1><a href="javascript:window.hacked=1">a</a>"><b>';
const TEXTS = {
	markup: MARKUP,
	bidi: '\u202e\u2066\u202bdrowssap\u202e )-: שלום \u2069 مرحبا \u202d',
	emoji: '🔥'.repeat(10_000),
	families: '👩🏾‍🌾'.repeat(2500),
	word: 'é'.repeat(10_000),
	lines: 'a\n'.repeat(4999),
	marks: `Z${'\u0310\u0489\u0334'.repeat(3000)}`,
};
const cut = (text, length) => Array.from(text).slice(0, length).join('');
// What fits in a name, a title and a note.
const short = (text) => cut(text, 60).replaceAll('\n', ' ');

const boxes = (page) => page.evaluate(() => [...document.querySelectorAll('.card, .card button, .card time, .card .text')].map((element) => {
	const { left, right } = element.getBoundingClientRect();
	return { left, right };
}).filter(({ left, right }) => left < 0 || right > innerWidth));

for (const width of [1280, 360]) {
	test(`no text becomes markup or breaks the page, ${width} pixels wide`, async () => {
		const paper = await Newspaper.found();
		for (const [name, text] of Object.entries(TEXTS)) {
			const thread = `${name} ${short(text)}`;
			await paper.thread(thread, { mode: 'pre', title: short(text) });
			const above = await paper.post(text, { thread, author: short(text), id: name });
			await paper.decide(above, 'approve');
			const reply = await paper.post(cut(`Réponse ${name}. ${text}`, 10_000), { thread, author: short(text), id: name, parent: above });
			await ask(paper.tokens.site, 'POST', `/v1/comments/${reply.id}/reports`, { reporter: { id: short(text) }, reason: 'other', note: cut(text, 900) });
			await ask(paper.tokens.moderator, 'POST', `/v1/authors/${name}/notes?site=${paper.slug}`, { text: cut(text, 900) });
			assert.equal((await paper.comment(reply)).status, 'pending');
		}
		const page = await paper.seat('awa', { viewport: { width, height: 800 } });
		const whole = async () => {
			assert.equal(await page.evaluate(() => window.hacked), undefined);
			assert.equal(await page.locator('#desk :is(script, img, svg, b b, a[href^=javascript])').count(), 0, 'no markup of theirs');
			assert.ok(!await scrollsSideways(page));
			assert.deepEqual(await boxes(page), [], 'nothing sticks out');
		};
		await until(async () => await page.locator('.card').count() === Object.keys(TEXTS).length, 'all are there');
		assert.equal((await card(page, 'Réponse markup').locator('.text').textContent()), `Réponse markup. ${MARKUP}`);
		assert.equal(await page.locator('.card .voices').count(), Object.keys(TEXTS).length, 'with their reports');
		for (const unfold of await page.locator('.unfold').all()) await unfold.click();
		await whole();
		for (const name of Object.keys(TEXTS)) {
			const mine = card(page, `Réponse ${name}`);
			await mine.locator('.where').click();
			await until(async () => await page.locator('#panel li').count() === 2, 'the thread is there');
			await whole();
			await page.keyboard.press('Escape');
			await mine.locator('.author').click();
			await page.locator('#panel .note').waitFor();
			await whole();
			await page.keyboard.press('Escape');
		}
	});
}

test('no text can be put into the page by its address', async () => {
	const paper = await Newspaper.found();
	await paper.hold(['Alpha.']);
	const page = await paper.seat();
	for (const name of ['q', 'thread', 'author', 'reason', 'queue', 'sort', 'view', 'site']) {
		await page.goto(`/moderation?${name}=${encodeURIComponent(MARKUP)}`);
		await page.locator('#feed[aria-busy=false]').waitFor({ state: 'attached' });
		assert.equal(await page.evaluate(() => window.hacked), undefined);
		assert.equal(await page.locator('#desk :is(script, img, svg)').count(), 0);
	}
});

test('the policy lets nothing in from elsewhere', async () => {
	const page = await browse();
	const response = await page.goto('/moderation');
	const policy = response.headers()['content-security-policy'];
	for (const rule of ["default-src 'none'", "script-src 'self'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'none'"]) assert.ok(policy.includes(rule), policy);
	assert.ok(!policy.includes('unsafe'), policy);
});
