import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ask, browse, card, enter, Newspaper, reads, testing, texts, until } from './harness.js';

await testing();

const ids = (page) => page.locator('#feed .card').evaluateAll((cards) => cards.map(({ dataset }) => dataset.id));
const top = async (locator) => (await locator.boundingBox()).y;

test('two moderators who take cards never get the same', async () => {
	const paper = await Newspaper.found();
	await paper.hold(Array.from({ length: 25 }, (_, n) => `Mot ${n}.`));
	const pages = await Promise.all(['awa', 'binta', 'chaka'].map((name) => paper.seat(name)));
	await Promise.all(pages.map((page) => page.locator('.card').first().waitFor()));
	await Promise.all(pages.map((page) => page.keyboard.press('w')));
	await Promise.all(pages.map((page) => page.locator('#tools [aria-pressed=true]').waitFor()));
	const taken = await Promise.all(pages.map(ids));
	assert.equal(taken.flat().length, 25, 'ten, ten and five');
	assert.equal(new Set(taken.flat()).size, 25, 'each one once');
	// Given back, they are anybody's.
	await pages[0].keyboard.press('w');
	await pages[0].locator('#tools [aria-pressed=false]').waitFor();
	await until(async () => (await ask(paper.tokens.moderator, 'GET', '/v1/queue')).items.filter(({ claim }) => !claim).length === taken[0].length, 'they are given back');
});

test('one sees what another has taken, and cannot decide it', async () => {
	const paper = await Newspaper.found();
	const [a] = await paper.hold(['Alpha.', 'Bravo.']);
	const page = await paper.seat();
	await reads(page, 'Alpha.');
	await ask(paper.tokens.moderator, 'POST', '/v1/queue/claims', { limit: 1 });
	await card(page, 'Alpha.').locator('.claim', { hasText: 'is on it' }).waitFor();
	await page.keyboard.press('a');
	await card(page, 'Alpha.').locator('.told', { hasText: 'is on it' }).waitFor();
	await page.locator('#said', { hasText: 'One card came back' }).waitFor();
	assert.equal((await paper.comment(a)).status, 'pending');
	assert.deepEqual(await texts(page), ['Alpha.', 'Bravo.'], 'it is back in its place');
});

test('the list is read once the stream of events is there, so that nothing falls between them', async () => {
	const paper = await Newspaper.found();
	await paper.hold(['Alpha.']);
	const page = await browse();
	const order = [];
	page.on('request', (request) => order.push(new URL(request.url()).pathname));
	page.on('response', (response) => response.url().endsWith('/v1/events') && order.push('stream'));
	await page.goto(await paper.account('awa'));
	await enter(page);
	await reads(page, 'Alpha.');
	assert.ok(order.includes('stream') && order.indexOf('stream') < order.indexOf('/v1/queue'), order.join(' '));
});

test('one sees who looks at a card, and until they look at another', async () => {
	const paper = await Newspaper.found();
	await paper.hold(['Alpha.', 'Bravo.']);
	const [awa, binta] = await Promise.all(['awa', 'binta'].map((name) => paper.seat(name)));
	await reads(awa, 'Alpha.');
	await reads(binta, 'Alpha.');
	// Who could not say at once where they look, as on a busy machine, says it again within half a minute.
	await card(awa, 'Alpha.').locator('.claim', { hasText: 'binta' }).waitFor({ timeout: 45_000 });
	await binta.keyboard.press('j');
	await card(awa, 'Bravo.').locator('.claim', { hasText: `binta-${paper.slug} looks at it` }).waitFor();
	assert.equal(await card(awa, 'Alpha.').locator('.claim').textContent(), '');
});

test('a quarter of an hour is as many cards as one decides in it, the most harmful first', async () => {
	const paper = await Newspaper.found();
	await paper.hold([...Array.from({ length: 48 }, (_, n) => `Mot ${n}.`), 'Bande de voleurs, vous êtes tous des ordures !']);
	const page = await paper.seat();
	await page.locator('.card').first().waitFor();
	await page.keyboard.press('q');
	await page.locator('#tools [aria-pressed=true]').waitFor();
	await reads(page, 'voleurs');
	// Nobody knows this moderator's pace yet: twenty seconds a card.
	assert.equal((await ids(page)).length, 45);
});

test('what another decides goes from the list, and the card under the cursor stays where it is', async () => {
	const paper = await Newspaper.found();
	const held = await paper.hold(Array.from({ length: 14 }, (_, n) => `Mot ${String.fromCharCode(65 + n)}.`));
	const page = await paper.seat();
	for (let n = 0; n < 3; n += 1) await page.keyboard.press('j');
	await reads(page, 'Mot D.');
	await card(page, 'Mot D.').hover();
	const before = await top(card(page, 'Mot D.'));
	// One above, one in sight below, one far below.
	await paper.decide(held[1], 'hide');
	await paper.decide(held[4], 'approve');
	await paper.decide(held[13], 'hide');
	await card(page, 'Mot B.').locator('.fate', { hasText: 'hid this' }).waitFor();
	await card(page, 'Mot E.').locator('.fate', { hasText: 'approved this' }).waitFor();
	await card(page, 'Mot N.').waitFor({ state: 'detached' });
	assert.equal(await top(card(page, 'Mot D.')), before);
	// The next step passes over what is decided, and it is gone.
	await page.keyboard.press('j');
	await reads(page, 'Mot F.');
	await card(page, 'Mot B.').waitFor({ state: 'detached' });
	await card(page, 'Mot E.').waitFor({ state: 'detached' });
});

test('new comments come in by themselves, at once where the list is empty', async () => {
	const paper = await Newspaper.found();
	const page = await paper.seat();
	await page.locator('#foot', { hasText: 'All is done' }).waitFor();
	await paper.hold(['Alpha.']);
	await reads(page, 'Alpha.');
	await paper.post('Bravo.', { author: 'Une autre' });
	await page.getByRole('button', { name: '1 new' }).waitFor();
	assert.deepEqual(await texts(page), ['Alpha.'], 'nothing moves before one wants it');
	await page.keyboard.press('n');
	await reads(page, 'Bravo.');
	await until(async () => (await page.locator('#tabs [aria-current]').textContent()).includes('2'), 'the tab counts both');
});

test('a comment that its author edited meanwhile comes back, as it is now', async () => {
	const paper = await Newspaper.found();
	const [a] = await paper.hold(['Alpha.', 'Bravo.']);
	const page = await paper.seat();
	await reads(page, 'Alpha.');
	await paper.edit(a, 'Alpha, relu et corrigé.');
	await page.keyboard.press('a');
	const back = card(page, 'Alpha, relu et corrigé.');
	await back.locator('.told', { hasText: 'The author edited this meanwhile.' }).waitFor();
	await page.locator('#said', { hasText: 'One card came back' }).getByRole('button').click();
	await reads(page, 'relu et corrigé');
	await page.keyboard.press('a');
	await paper.becomes(a, 'published');
});

test('a comment that somebody decided a moment before tells who and how', async () => {
	const paper = await Newspaper.found();
	const [a] = await paper.hold(['Alpha.', 'Bravo.']);
	const page = await paper.seat();
	await reads(page, 'Alpha.');
	// The page does not hear of it.
	await page.context().setOffline(true);
	await paper.decide(a, 'hide');
	await page.context().setOffline(false);
	await page.keyboard.press('a');
	await card(page, 'Alpha.').locator('.told', { hasText: `moderator-of-${paper.slug} hid this` }).waitFor();
	await page.getByRole('button', { name: 'Leave it so' }).click();
	await reads(page, 'Bravo.');
	assert.equal((await paper.comment(a)).status, 'hidden');
});

test('without a connection a decision waits for another try', async () => {
	const paper = await Newspaper.found();
	const [a] = await paper.hold(['Alpha.']);
	const page = await paper.seat();
	await reads(page, 'Alpha.');
	await page.route('**/decisions', (route) => route.fulfill({ status: 503, contentType: 'application/problem+json', body: '{"status":503,"title":"busy"}' }));
	await page.keyboard.press('h');
	await card(page, 'Alpha.').locator('.told', { hasText: 'Nothing was saved' }).waitFor();
	await page.unroute('**/decisions');
	await card(page, 'Alpha.').getByRole('button', { name: 'Try again' }).click();
	await paper.becomes(a, 'hidden');
});
