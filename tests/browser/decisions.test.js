import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ask, card, current, escape, Newspaper, reads, testing, texts, until } from './harness.js';

await testing();

const A = 'Alpha.', B = 'Bravo.', C = 'Charlie.', D = 'Delta.';

test('a approves, h hides, d too, e escalates; the next card is at hand at once', async () => {
	const paper = await Newspaper.found();
	const [a, b, c, d] = await paper.hold([A, B, C, D]);
	const page = await paper.seat();
	assert.deepEqual(await texts(page), [A, B, C, D]);
	for (const [key, text] of [['a', A], ['h', B], ['d', C], ['e', D]]) {
		await reads(page, text);
		await page.keyboard.press(key);
	}
	await paper.becomes(a, 'published');
	await paper.becomes(b, 'hidden');
	await paper.becomes(c, 'hidden');
	await until(async () => (await paper.comment(d)).decision?.action === 'escalate', 'it is escalated');
	assert.deepEqual(await texts(page), []);
	await page.locator('#foot', { hasText: 'Escalated' }).waitFor();
});

test('z takes decisions back, the latest first, each to its place', async () => {
	const paper = await Newspaper.found();
	const [a, b] = await paper.hold([A, B, C]);
	const page = await paper.seat();
	await reads(page, A);
	await page.keyboard.press('h');
	await paper.becomes(a, 'hidden');
	await page.keyboard.press('a');
	await paper.becomes(b, 'published');
	await page.keyboard.press('z');
	await reads(page, B);
	await paper.becomes(b, 'pending');
	await page.keyboard.press('z');
	await reads(page, A);
	await paper.becomes(a, 'pending');
	assert.deepEqual(await texts(page), [A, B, C]);
	// And decided again, with the version that the undo made.
	await page.keyboard.press('a');
	await paper.becomes(a, 'published');
});

test('keys that come faster than the server are all obeyed', async () => {
	const paper = await Newspaper.found();
	const held = await paper.hold([A, B, C, D]);
	const page = await paper.seat();
	await reads(page, A);
	for (const key of ['a', 'z', 'a', 'h', 'z', 'z', 'h', 'h', 'a', 'a']) await page.keyboard.press(key);
	for (const [index, status] of ['hidden', 'hidden', 'published', 'published'].entries()) await paper.becomes(held[index], status);
	assert.deepEqual(await texts(page), []);
});

test('x ticks, and Shift with a key decides all that is ticked', async () => {
	const paper = await Newspaper.found();
	const [a, b, c, d] = await paper.hold([A, B, C, D]);
	const page = await paper.seat();
	await reads(page, A);
	for (const key of ['x', 'j', 'j', 'x']) await page.keyboard.press(key);
	await page.locator('#ticks', { hasText: '2 ticked' }).waitFor();
	await page.keyboard.press('Shift+H');
	await paper.becomes(a, 'hidden');
	await paper.becomes(c, 'hidden');
	assert.deepEqual(await texts(page), [B, D]);
	await page.keyboard.press('z');
	await paper.becomes(a, 'pending');
	await paper.becomes(c, 'pending');
	await page.keyboard.press('Shift+X');
	await page.keyboard.press('Shift+A');
	for (const comment of [a, b, c, d]) await paper.becomes(comment, 'published');
});

test('s hides a comment with the replies below it', async () => {
	const paper = await Newspaper.found();
	const above = await paper.post('Racine.');
	const held = await paper.post('Vous allez tous mourir, on va vous égorger !', { parent: above });
	const below = await paper.post('Je réponds.', { parent: held });
	const beside = await paper.post('Encore.', { parent: above });
	const page = await paper.seat();
	await reads(page, 'égorger');
	await page.keyboard.press('s');
	await paper.becomes(held, 'hidden');
	await paper.becomes(below, 'hidden');
	for (const other of [above, beside]) await paper.becomes(other, 'published');
	await page.keyboard.press('z');
	await paper.becomes(held, 'pending');
});

test('c hides a raid at once, and z takes it back', async () => {
	const paper = await Newspaper.found();
	const raid = [];
	for (let n = 0; n < 12; n += 1) raid.push(await paper.post('Gagnez cent mille francs par jour, écrivez-moi vite en privé !', { author: `Robot ${n}` }));
	const [other] = await paper.hold([A], 'calme');
	const page = await paper.seat();
	const folded = card(page, 'cent mille francs');
	await until(async () => await folded.count() === 1, 'the copies are one card');
	await folded.click();
	await page.keyboard.press('c');
	// The first of them was published before anybody copied it.
	for (const copy of raid) await paper.becomes(copy, 'hidden');
	assert.equal((await paper.comment(other)).status, 'pending');
	assert.deepEqual(await texts(page), [A]);
	await page.keyboard.press('z');
	await paper.becomes(raid[11], 'pending');
	await paper.becomes(raid[5], 'pending');
});

test('the copies can be looked at before they are decided', async () => {
	const paper = await Newspaper.found();
	for (let n = 0; n < 4; n += 1) await paper.post('Rendez-vous tous demain devant la mairie à dix-huit heures.', { author: `Voisine ${n}` });
	const page = await paper.seat();
	await page.getByRole('button', { name: '4 copies' }).click();
	await until(async () => await page.locator('#panel li').count() === 4, 'all copies are listed');
	await page.locator('#panel').getByRole('button', { name: 'Approve all copies' }).click();
	await page.locator('#said', { hasText: 'Approved' }).waitFor();
	await page.keyboard.press('Escape');
	assert.ok(await page.locator('#panel').isHidden());
});

test('r asks for a reason, which the decision carries', async () => {
	const paper = await Newspaper.found();
	const [a, b] = await paper.hold([A, B]);
	const page = await paper.seat();
	await reads(page, A);
	await page.keyboard.press('r');
	await page.keyboard.press('p');
	await until(async () => (await paper.comment(a)).decision?.reason === 'personal_data', 'it is hidden for its personal data');
	await reads(page, B);
	await page.keyboard.press('r');
	await page.locator('dialog').waitFor();
	await escape(page);
	await reads(page, B);
	assert.equal((await paper.comment(b)).status, 'pending');
});

test('j and k walk, t and the digits change the queue, / searches, ? helps', async () => {
	const paper = await Newspaper.found();
	await paper.hold([A, B]);
	await paper.post('On va vous égorger, vous allez tous mourir !', { author: 'Menaçant' });
	const page = await paper.seat('awa', { sort: 'priority' });
	await reads(page, 'égorger');
	await page.keyboard.press('j');
	await reads(page, A);
	await page.keyboard.press('k');
	await reads(page, 'égorger');
	await page.keyboard.press('1');
	await until(() => page.url().includes('reason=threat'), 'the threats are shown');
	await until(async () => (await texts(page)).length === 1, 'one threat waits');
	await page.locator('#tabs .n').first().waitFor();
	await page.keyboard.press('t');
	await until(() => !page.url().includes('reason=threat'), 'another queue is shown');
	await page.keyboard.press('5');
	await until(async () => (await texts(page)).length === 3, 'all that waits is shown');
	await page.keyboard.press('/');
	assert.equal(await page.evaluate(() => document.activeElement.id), 'q');
	await page.keyboard.type('ah ah');
	assert.equal((await texts(page)).length, 3, 'letters in a field decide nothing');
	await page.keyboard.press('Escape');
	await page.keyboard.press('?');
	await page.locator('dialog', { hasText: 'Hide all copies' }).waitFor();
	await page.keyboard.press('a');
	await escape(page);
	assert.equal((await texts(page)).length, 3, 'nor do they behind a dialog');
});

test('the keys of WordPress and Coral can be had, and none', async () => {
	const paper = await Newspaper.found();
	const [a, b, c] = await paper.hold([A, B, C, D]);
	const page = await paper.seat();
	const choose = async (name) => {
		await page.locator('[popovertarget=menu]').click();
		await page.locator('#menu [name=keymap]').selectOption(name);
		await page.keyboard.press('Escape');
		await current(page).focus();
	};
	await choose('wordpress');
	await page.keyboard.press('u');
	await paper.becomes(a, 'hidden');
	await page.keyboard.press('s');
	await until(async () => (await paper.comment(b)).decision?.reason === 'spam', 'WordPress says s for spam');
	await choose('coral');
	await page.keyboard.press('d');
	await paper.becomes(c, 'published');
	await choose('off');
	for (const key of ['a', 'h', 'd', 'f', 'z', 'c']) await page.keyboard.press(key);
	await reads(page, D);
	await page.getByRole('button', { name: 'Approve' }).click();
	await page.locator('#foot', { hasText: 'All is done' }).waitFor();
});

test('an author who appealed gets an answer, whatever it is', async () => {
	const paper = await Newspaper.found();
	const page = await paper.seat();
	for (const [key, note, status] of [['h', 'Relisez la charte.', 'hidden'], ['a', 'Vous aviez raison.', 'published']]) {
		const comment = await paper.post(`Merci pour cet article : ${note}`);
		await paper.decide(comment, 'hide');
		await ask(paper.tokens.site, 'POST', `/v1/comments/${comment.id}/appeals`, { text: 'Je n’ai rien dit de mal.' });
		await page.goto('/moderation?queue=appeals');
		await reads(page, note);
		await page.keyboard.press(key);
		await page.locator('dialog textarea').fill(note);
		await page.keyboard.press('Control+Enter');
		const answered = await until(async () => {
			const { appeal, status: now } = await paper.comment(comment);
			return appeal.answer && { ...appeal.answer, status: now };
		}, 'the author is answered');
		assert.deepEqual([answered.note, answered.status], [note, status]);
	}
});
