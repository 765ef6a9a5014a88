import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ask, browse, card, escape, isAccessible, Newspaper, reads, scrollsSideways, testing, until } from './harness.js';

const server = await testing();

// All that a card can have.
async function busy() {
	const paper = await Newspaper.found();
	await paper.thread('une', { title: 'Le délestage dure' });
	const above = await paper.post('Le courant est revenu à trois heures du matin pour vingt minutes.');
	await paper.post('« Le courant est revenu à trois heures du matin pour vingt minutes. » Menteur, sale chien, on va vous égorger tous !', { parent: above, author: 'Colère' });
	for (let n = 0; n < 3; n += 1) await paper.post('Gagnez cent mille francs par jour, écrivez-moi vite en privé !', { author: `Robot ${n}` });
	await ask(paper.tokens.site, 'POST', `/v1/comments/${above.id}/reports`, { reporter: { id: 'lui' }, reason: 'abusive', note: 'Il ment.' });
	const hidden = await paper.post('Un mot masqué.', { author: 'Masquée' });
	await paper.decide(hidden, 'hide');
	await ask(paper.tokens.site, 'POST', `/v1/comments/${hidden.id}/appeals`, { text: 'Relisez-moi.' });
	await paper.hold([`Long. ${'Une phrase qui dure. '.repeat(60)}`], 'long');
	return paper;
}

for (const colorScheme of ['light', 'dark']) {
	test(`nothing shuts anybody out, ${colorScheme}`, async () => {
		const gate = await browse({ colorScheme });
		await gate.goto('/moderation');
		await gate.locator('#gate form').waitFor();
		await isAccessible(gate, 'sign-in');

		const paper = await busy();
		const page = await paper.seat('awa', { colorScheme });
		await reads(page, 'égorger');
		await page.locator('.why').first().evaluate((why) => { why.open = true; });
		await isAccessible(page, 'queue');
		await page.keyboard.press('x');
		await page.keyboard.press('b');
		await isAccessible(page, 'queue, ticked and blurred');
		await page.keyboard.press('b');
		await page.keyboard.press('?');
		await page.locator('dialog').waitFor();
		await isAccessible(page, 'help');
		await escape(page);
		await page.keyboard.press('r');
		await page.locator('dialog').waitFor();
		await isAccessible(page, 'reasons');
		await escape(page);
		await page.keyboard.press('o');
		await page.locator('#panel li').first().waitFor();
		await isAccessible(page, 'thread');
		await page.keyboard.press('i');
		await page.locator('#panel textarea').waitFor();
		await isAccessible(page, 'author');
		await escape(page);
		await page.locator('[popovertarget=menu]').click();
		await isAccessible(page, 'menu');
		await page.getByRole('button', { name: 'Account' }).click();
		await page.locator('.sessions li').first().waitFor();
		await isAccessible(page, 'account');
		await escape(page);
		await page.keyboard.press('h');
		await page.locator('#said button').waitFor();
		await isAccessible(page, 'decided');
		for (const queue of ['reported', 'appeals']) {
			await page.goto(`/moderation?queue=${queue}`);
			await page.locator('.voices').waitFor();
			await isAccessible(page, queue);
		}
		await page.goto('/moderation?view=stats');
		await page.locator('figure').first().waitFor();
		await isAccessible(page, 'stats');
	});
}

test('a page that is chosen dark is dark, and stays so', async () => {
	const paper = await busy();
	const page = await paper.seat('awa', { colorScheme: 'light' });
	const paperIs = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
	const light = await paperIs();
	await page.locator('[popovertarget=menu]').click();
	await page.locator('#menu [name=theme]').selectOption('dark');
	await until(async () => await paperIs() !== light, 'it is dark');
	const dark = await paperIs();
	await page.reload();
	await page.locator('.card').first().waitFor();
	assert.equal(await paperIs(), dark);
	await page.emulateMedia({ colorScheme: 'dark' });
	await page.locator('[popovertarget=menu]').click();
	await page.locator('#menu [name=theme]').selectOption('light');
	await until(async () => await paperIs() === light, 'it is light on a dark system');
});

test('it speaks French to French browsers, and the language that one chooses', async () => {
	const paper = await busy();
	const page = await paper.seat('awa', { lang: 'fr' });
	await reads(page, 'égorger');
	assert.equal(await page.locator('html').getAttribute('lang'), 'fr');
	await page.getByRole('button', { name: 'Masquer' }).first().waitFor();
	await page.locator('[popovertarget=menu]').click();
	await page.locator('#menu [name=lang]').selectOption('en');
	await page.getByRole('button', { name: 'Hide' }).first().waitFor();
	await page.reload();
	await page.getByRole('button', { name: 'Hide' }).first().waitFor();
	assert.equal(await page.locator('html').getAttribute('lang'), 'en');
});

test('both languages say the same things', async () => {
	const [en, fr] = await Promise.all(['en', 'fr'].map(async (lang) => {
		const script = await (await fetch(`${server.address}/moderation/words-${lang}.js`)).text();
		return (await import(`data:text/javascript,${encodeURIComponent(script)}`)).default;
	}));
	assert.deepEqual(Object.keys(en), Object.keys(fr));
	for (const key of Object.keys(en)) {
		const gaps = (text) => [...new Set(text.match(/\{\w+\}/g))].sort();
		assert.deepEqual(gaps(en[key]), gaps(fr[key]), key);
	}
});

// A phone, and a window of 1280 × 800 at 200 %.
for (const [name, options] of [['a phone', { viewport: { width: 360, height: 720 }, hasTouch: true }], ['a page twice as large', { viewport: { width: 640, height: 400 }, deviceScaleFactor: 2 }]]) {
	test(`${name} never scrolls sideways`, async () => {
		const paper = await busy();
		const page = await paper.seat('awa', options);
		await reads(page, 'égorger');
		const fits = async (where) => assert.ok(!await scrollsSideways(page), where);
		await fits('queue');
		await isAccessible(page, name);
		for (const [key, what] of [['?', 'dialog'], ['r', 'dialog'], ['o', '#panel li'], ['i', '#panel textarea']]) {
			await page.keyboard.press(key);
			await page.locator(what).first().waitFor();
			await fits(key);
			await escape(page);
		}
		await page.locator('[popovertarget=menu]').click();
		await fits('menu');
		await escape(page);
		await page.keyboard.press('x');
		await page.keyboard.press('h');
		await page.locator('#said button').waitFor();
		await fits('decided');
		// A click goes to what is in sight: it would not to a button under the line at the bottom.
		await card(page, 'Gagnez').getByRole('button', { name: 'Approve' }).click();
		await page.goto('/moderation?view=stats');
		await page.locator('figure').first().waitFor();
		await fits('stats');
	});
}

test('figures of one single day are drawn too', async () => {
	const paper = await busy();
	const page = await paper.seat();
	await page.route('**/v1/stats?*', async (route) => {
		const response = await route.fetch();
		const figures = await response.json();
		await route.fulfill({ response, json: { ...figures, items: figures.items.slice(-1) } });
	});
	await page.goto('/moderation?view=stats');
	const dot = page.locator('circle');
	await dot.waitFor();
	const { width, height } = await dot.boundingBox();
	assert.ok(width > 0 && height > 0);
});

// The folder still has the comments, which the program leaves out.
const built = { skip: process.env.PALABRE_PAGE && 'not what is delivered' };

test('the first card needs less than 60 KiB, and nothing that is shown later', built, async () => {
	const paper = await busy();
	const seat = await paper.seat();
	// A browser that knows nothing of the page yet.
	const page = await browse();
	await page.context().addCookies(await seat.context().cookies());
	const loaded = [];
	page.on('response', async (response) => {
		const { pathname } = new URL(response.url());
		if (/^\/moderation(\/[\w-]+\.\w+)?$/.test(pathname)) loaded.push({ pathname, size: response.body().then((body) => body.length) });
	});
	await page.goto('/moderation');
	await page.locator('.card').first().waitFor();
	const names = loaded.map(({ pathname }) => pathname.replace('/moderation', '').slice(1) || 'index.html');
	const sizes = await Promise.all(loaded.map(({ size }) => size));
	assert.ok(sizes.reduce((sum, size) => sum + size) < 60 * 1024, names.map((name, index) => `${name} ${sizes[index]}`).join(', '));
	for (const later of ['stats.js', 'account.js', 'help.js', 'panel.js', 'words-fr.js', 'later.css', 'models.js', 'models.css']) assert.ok(!names.includes(later), later);
	// What is loaded before the first card is asked for by the page itself, all of it at once.
	const html = await (await fetch(`${server.address}/moderation`)).text();
	for (const name of names.filter((name) => name.endsWith('.js') && !name.startsWith('words-'))) assert.ok(html.includes(`moderation/${name}"`), name);
});
