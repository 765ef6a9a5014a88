import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { admin, ask, browse, enter, escape, isAccessible, Newspaper, palabre, scrollsSideways, testing, until } from './harness.js';

const server = await testing();

const CALM = ['La mairie répare la route du marché avant la saison des pluies.', 'Le courant est revenu hier soir dans tout le quartier.', 'Merci pour cet article, on y apprend beaucoup.', 'Les élèves ont repris le chemin de l’école lundi.'];

let trained;
let token;

// A model of its own, kept whatever it is worth: what matters here is that there are two.
before(async () => {
	const labelled = ['insults', 'chats', 'names'].flatMap((name) => ['--data', fileURLToPath(new URL(`../../seeds/labels/fr-${name}.jsonl`, import.meta.url))]);
	await palabre('train', ...labelled, '--force');
	const models = (await palabre('models', 'list', '--json')).split('\n').map((line) => JSON.parse(line));
	trained = models.find(({ live }) => !live).version;
	token = await palabre('token', '--role', 'admin', '--subject', 'root');
});

const model = (page, version) => page.getByRole('article', { name: version, exact: true });
const liveOne = async () => (await ask(token, 'GET', '/v1/models')).items.find(({ live }) => live).version;

async function shows(page) {
	await page.goto('/moderation/models');
	await page.locator('.model').first().waitFor();
	await page.locator('.label .plot').last().waitFor();
	assert.deepEqual(await page.locator('#admin [role=alert]').allTextContents(), []);
}

// A site whose moderators have said something.
async function judged() {
	const paper = await Newspaper.found();
	const threats = ['On va vous égorger, vous allez tous mourir !', 'Je vais te tuer ce soir, chien.', 'On sait où tu habites, prépare ta tombe.'];
	for (const [n, text] of threats.entries()) await paper.decide(await paper.post(text, { author: `T${n}` }), 'hide', { reason: 'threat' });
	for (const [n, text] of CALM.entries()) await paper.decide(await paper.post(text, { author: `C${n}` }), 'approve');
	return paper;
}

test('a moderator is told plainly, and has no link to it', async () => {
	const paper = await Newspaper.found();
	const page = await paper.seat();
	await page.locator('[popovertarget=menu]').click();
	assert.equal(await page.getByRole('link', { name: 'Models' }).count(), 0);
	const asked = [];
	page.on('request', (request) => asked.push(new URL(request.url()).pathname));
	await page.goto('/moderation/models');
	await page.getByRole('alert').filter({ hasText: 'This page is for admins' }).waitFor();
	assert.deepEqual(asked.filter((path) => path.startsWith('/v1/') && !path.endsWith('/presence')), [], 'and nothing is asked for that would be refused');
	assert.equal(await page.locator('.model').count(), 0);
});

test('somebody who is not signed in signs in there', async () => {
	const link = await palabre('moderator', 'add', 'chef-dehors', '--role', 'admin', '--url', server.address);
	const page = await browse();
	await page.goto('/moderation/models');
	await page.locator('#gate [name=password]').waitFor();
	await page.goto(link);
	await enter(page);
	await shows(page);
});

test('an admin makes a model live, and goes back', async () => {
	const page = await admin();
	await page.locator('[popovertarget=menu]').click();
	await page.getByRole('link', { name: 'Models' }).click();
	await model(page, trained).waitFor();
	const shipped = await liveOne();
	assert.equal(await model(page, shipped).locator('.mark.live').count(), 1);
	assert.match(await model(page, trained).textContent(), /trained.*from/);

	await model(page, trained).locator('summary').click();
	const rows = model(page, trained).locator('tbody tr');
	await rows.first().waitFor();
	assert.match(await rows.first().textContent(), /[.,]\d{3}/);

	await model(page, trained).getByRole('button', { name: 'Make it live' }).click();
	const dialog = page.locator('dialog');
	await dialog.getByText('What is stored keeps its scores').waitFor();
	await dialog.getByRole('button', { name: 'Cancel' }).click();
	await dialog.waitFor({ state: 'detached' });
	assert.equal(await liveOne(), shipped, 'nothing happens unless it is wanted');

	await model(page, trained).getByRole('button', { name: 'Make it live' }).press('Enter');
	await dialog.getByRole('button', { name: 'Make it live' }).press('Enter');
	await page.locator('#said', { hasText: `${trained} is live.` }).waitFor();
	assert.equal(await liveOne(), trained);
	assert.equal(await model(page, trained).locator('.mark.live').count(), 1);
	assert.equal(await page.evaluate(() => document.activeElement.textContent), 'Models', 'the keyboard is not lost');

	await page.getByRole('button', { name: 'Go back one model' }).click();
	await dialog.getByRole('button', { name: 'Go back one model' }).click();
	await page.locator('#said', { hasText: `${shipped} is live.` }).waitFor();
	assert.equal(await liveOne(), shipped);
});

test('the report of a model is a page that shuts nobody out', async () => {
	for (const colorScheme of ['light', 'dark']) {
		const page = await admin({ colorScheme });
		await shows(page);
		await model(page, trained).getByRole('link', { name: 'Report' }).click();
		await page.locator('.verdict').waitFor();
		assert.match(await page.locator('h1').textContent(), new RegExp(`${trained} against `));
		assert.ok(await page.locator('figure svg').count() >= 5);
		await isAccessible(page, `report, ${colorScheme}`);
		await page.setViewportSize({ width: 360, height: 720 });
		assert.ok(!await scrollsSideways(page));
	}
});

test('a slider says what it would do, and saving changes the thresholds and nothing else', async () => {
	const paper = await judged();
	const path = `/v1/sites/${paper.slug}/policy`;
	await ask(token, 'PUT', path, { ...await ask(token, 'GET', path), max_links: 7, banned_words: ['zouzou'] });
	const before = await ask(token, 'GET', path);
	const page = await admin();
	await shows(page);
	await page.locator('#simulator select').first().selectOption(paper.slug);
	await page.locator('#simulator').getByText('hid 3 for what they say and approved 4').waitFor();
	const tried = page.locator('#simulator tbody tr').last();
	const save = page.getByRole('button', { name: 'Use these thresholds' });
	assert.ok(await save.isDisabled());
	const was = await tried.textContent();
	const slider = page.getByRole('slider', { name: /^Toxic/ });
	await slider.focus();
	await page.keyboard.press('Home');
	await until(async () => await tried.textContent() !== was, 'the numbers move');
	const cards = async (row) => Number(await row.locator('td').first().textContent());
	assert.ok(await cards(tried) > await cards(page.locator('#simulator tbody tr').first()), 'more waits');
	assert.match(await slider.getAttribute('aria-valuetext'), /\d cards a day, 0 missed/);
	for (let steps = 0; steps < 20; steps += 1) await page.keyboard.press('ArrowRight');
	assert.equal(Number(await slider.inputValue()), -6, 'answers that come meanwhile do not pull it back');
	await page.locator('.label', { hasText: 'Toxic' }).getByText('from 0.00247').waitFor();

	await save.click();
	const dialog = page.locator('dialog');
	await dialog.getByText(/Toxic: .* becomes/).waitFor();
	await dialog.getByRole('button', { name: 'Use these thresholds' }).click();
	await page.locator('#said', { hasText: 'has these thresholds now' }).waitFor();
	const { hold, ...rest } = await ask(token, 'GET', path);
	const { hold: heldBefore, ...restBefore } = before;
	assert.deepEqual(rest, restBefore);
	assert.ok(hold.toxicity > 0 && hold.toxicity < 0.01, `${hold.toxicity}`);
	assert.deepEqual({ ...hold, toxicity: null }, heldBefore, 'labels that were not moved follow the model still');
});

test('thresholds are found that keep to a number of cards and find a share', async () => {
	const paper = await judged();
	const page = await admin();
	await shows(page);
	await page.locator('#simulator select').first().selectOption(paper.slug);
	await page.locator('#simulator').getByText('hid 3 for').waitFor();
	const find = page.getByRole('button', { name: 'Find thresholds' });
	await find.click();
	await page.locator('#said', { hasText: 'Say how many cards' }).waitFor();
	await page.locator('[name=least-threat]').fill('100');
	await page.locator('[name=cards]').fill('3');
	await find.click();
	await page.locator('#said', { hasText: 'cards a day' }).waitFor();
	await page.locator('.label', { hasText: 'Threat' }).getByText('3 of 3 found').waitFor();
	await page.locator('[name=cards]').fill('0');
	await find.click();
	await page.locator('#said', { hasText: 'Not both' }).waitFor();
	await page.getByRole('button', { name: 'As it is now' }).click();
	await until(async () => page.getByRole('button', { name: 'Use these thresholds' }).isDisabled(), 'nothing is left to save');
});

for (const colorScheme of ['light', 'dark']) {
	test(`the admins' page shuts nobody out, ${colorScheme}`, async () => {
		await judged();
		const page = await admin({ colorScheme });
		await stored(page);
		await shows(page);
		await page.locator('#watch h3').first().waitFor();
		await model(page, trained).locator('summary').click();
		await model(page, trained).locator('tbody tr').first().waitFor();
		await isAccessible(page, 'models');
		await model(page, trained).getByRole('button', { name: 'Make it live' }).click();
		await page.locator('dialog').waitFor();
		await isAccessible(page, 'question');
		await escape(page);
		await page.setViewportSize({ width: 360, height: 720 });
		assert.ok(!await scrollsSideways(page));
	});
}

const zeros = Object.fromEntries(['toxicity', 'insult', 'threat', 'identity_attack', 'profanity', 'spam'].map((label) => [label, 0.1]));

// What a server tells that has a model in the shadow, a sample and second opinions.
async function stored(page) {
	const answer = (url, json) => page.route(url, (route) => route.fulfill({ json }));
	await page.route('**/v1/models', async (route) => {
		const { items } = await (await route.fetch()).json();
		await route.fulfill({ json: { items: items.map((one) => ({ ...one, shadow: one.version === trained })) } });
	});
	await answer('**/v1/models/*/comparison?*', {
		live: 'live-1', shadow: trained, compared: 1234, since: '2026-11-01T00:00:00Z',
		would: { hold_both: 40, hold_live_only: 11, hold_shadow_only: 17, hold_neither: 1166 },
		judged: { hold_live_only: { wrong: 2, fine: 9 }, hold_shadow_only: { wrong: 13, fine: 4 } },
		labels: [{ label: 'insult', hold_live_only: 5, hold_shadow_only: 6, auc: { live: 0.81, shadow: 0.87, positives: 30, negatives: 300 } }, { label: 'spam', hold_live_only: 0, hold_shadow_only: 0, auc: null }],
		items: [{ comment: 'c1', site: 'soir', thread: 'une', live: zeros, shadow: { ...zeros, insult: 0.9 }, verdict: 'held_by_shadow_only', label: 'insult', judged: 'wrong' }],
	});
	await answer('**/v1/comments/c1?*', { id: 'c1', body: 'Espèce de <b>kandjaro</b>' });
	await answer(/\/v1\/recall/, { sampled: 200, judged: 180, held_wrong: 20, missed_estimate: 4, recall: { value: 0.9, low: 0.8, high: 0.95 } });
	await answer(/\/v1\/agreement/, { pairs: 50, agreed: 46, share: 0.92, kappa: 0.81, by_reason: [] });
	await answer(/\/v1\/disagreements/, { items: [{ comment: { id: 'c2', body: 'Un <i>texte</i>.' }, label: 'threat', score: 0.03, decided: true, surprise: 3.5, decision: {} }], next_cursor: null });
}

test('a model in the shadow, what is missed, and where moderators differ', async () => {
	const page = await admin();
	const sent = [];
	await stored(page);
	await page.route('**/v1/models:unshadow', (route) => { sent.push('unshadow'); return route.fulfill({ status: 204 }); });
	await shows(page);
	const shadow = page.locator('#shadow');
	await shadow.getByText('1,234 comments were scored by both.').waitFor();
	assert.match(await shadow.locator('tr', { hasText: 'under the one in the shadow alone' }).first().textContent(), /17134/);
	await shadow.getByRole('button', { name: 'soir · une' }).click();
	await shadow.getByText('Espèce de <b>kandjaro</b>').waitFor();
	await page.locator('#watch').getByText('90% is found (95 %: 80% to 95%).').waitFor();
	await page.locator('#watch').getByText('46 of 50 agree with the first (92%; kappa 0.81).').waitFor();
	await page.locator('#watch td', { hasText: 'Un <i>texte</i>.' }).waitFor();
	await model(page, trained).getByRole('button', { name: 'Out of the shadow' }).click();
	await page.locator('#said', { hasText: 'No model scores in the shadow' }).waitFor();
	assert.deepEqual(sent, ['unshadow']);
});

test('an admin of one site tries its thresholds, and sees no models', async () => {
	const paper = await judged();
	const page = await browse();
	await page.goto(await paper.account('chefe', '--role', 'admin'));
	await enter(page);
	await page.goto('/moderation/models');
	await page.getByText('only admins of all sites see them').waitFor();
	await page.locator('.label .plot').last().waitFor();
	assert.equal(await page.locator('.model').count(), 0);
});

test('it speaks French, and both languages say the same things', async () => {
	const page = await admin({ lang: 'fr' });
	await shows(page);
	await page.getByRole('heading', { name: 'Modèles' }).waitFor();
	await page.getByRole('button', { name: 'Appliquer ces seuils' }).waitFor();
	const [en, fr] = await Promise.all(['en', 'fr'].map(async (lang) => {
		const script = await (await fetch(`${server.address}/moderation/models-${lang}.js`)).text();
		return (await import(`data:text/javascript,${encodeURIComponent(script)}`)).default;
	}));
	assert.deepEqual(Object.keys(en), Object.keys(fr));
	for (const key of Object.keys(en)) {
		const gaps = (text) => [...new Set(text.match(/\{\w+\}/g))].sort();
		assert.deepEqual(gaps(en[key]), gaps(fr[key]), key);
	}
});
