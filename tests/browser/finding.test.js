import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ask, card, Newspaper, reads, testing, texts, until } from './harness.js';

await testing();

test('the search finds words whatever their case and accents, and survives a reload', async () => {
	const paper = await Newspaper.found();
	await paper.hold(['Le délestage à Bamako.', 'La pluie.', 'DELESTAGE encore.']);
	const page = await paper.seat();
	await reads(page, 'délestage');
	await page.keyboard.press('/');
	await page.keyboard.type('delestage');
	await page.keyboard.press('Enter');
	await until(async () => (await texts(page)).length === 2, 'two are found');
	await page.locator('[name=sort]').selectOption('newest');
	await until(async () => (await texts(page))[0] === 'DELESTAGE encore.', 'the newest is first');
	const { search } = new URL(page.url());
	assert.match(search, /q=delestage/);
	await page.reload();
	await page.locator('.card').first().waitFor();
	assert.deepEqual(await texts(page), ['DELESTAGE encore.', 'Le délestage à Bamako.']);
	assert.equal(await page.locator('#q').inputValue(), 'delestage');
	assert.equal(await page.locator('[name=sort]').inputValue(), 'newest');
	await page.locator('[name=sort]').selectOption('oldest');
	await until(async () => (await texts(page))[0] === 'Le délestage à Bamako.', 'the oldest is first');
	await page.goBack();
	await until(async () => (await texts(page))[0] === 'DELESTAGE encore.', 'the way back leads back');
});

test('a thread is shown whole, with what has become of each comment', async () => {
	const paper = await Newspaper.found();
	const shown = await paper.post('Publié.');
	const hidden = await paper.post('Masqué.', { parent: shown });
	const deleted = await paper.post('Supprimé.', { parent: shown });
	await paper.post('Sous le supprimé.', { parent: deleted });
	await paper.decide(hidden, 'hide');
	await ask(paper.tokens.site, 'DELETE', `/v1/comments/${deleted.id}`);
	await paper.post('On va vous égorger, vous allez tous mourir !', { parent: shown });
	await paper.thread('une', { title: 'Le titre du fil' });
	const page = await paper.seat();
	await reads(page, 'égorger');
	await page.keyboard.press('o');
	const line = (text) => page.locator('#panel li', { hasText: text });
	await line('Publié.').waitFor();
	assert.equal(await page.locator('#panel h2').textContent(), 'Le titre du fil');
	await line('Masqué.').locator('.status', { hasText: 'hidden' }).waitFor();
	await line('égorger').locator('.status', { hasText: 'waiting' }).waitFor();
	await page.locator('#panel .status', { hasText: 'deleted' }).waitFor();
	assert.ok((await line('égorger').getAttribute('class')).includes('here'));
	await page.getByRole('button', { name: 'Only these replies' }).click();
	await line('Publié.').waitFor({ state: 'detached' });
	await page.keyboard.press('Escape');
	assert.ok(await page.locator('#panel').isHidden());
	await reads(page, 'égorger');
});

test('an author has a history, measures that end, and notes', async () => {
	const paper = await Newspaper.found();
	await paper.decide(await paper.post('Premier.'), 'hide');
	await paper.hold(['Alpha.']);
	await paper.post('On va vous égorger, vous allez tous mourir !');
	const page = await paper.seat('awa', { sort: 'priority' });
	await reads(page, 'égorger');
	assert.ok((await card(page, 'égorger').locator('.past').textContent()).includes('1 hidden'));
	await page.keyboard.press('i');
	const panel = page.locator('#panel');
	await panel.locator('textarea').fill('Récidiviste, à suivre.');
	await panel.getByRole('button', { name: 'Add' }).click();
	await panel.locator('.note', { hasText: 'Récidiviste' }).waitFor();
	await panel.locator('select').selectOption('1');
	await panel.getByRole('button', { name: 'Ban' }).click();
	await panel.getByRole('button', { name: 'Lift' }).waitFor();
	await panel.locator('.line', { hasText: 'until' }).waitFor();
	await panel.getByRole('button', { name: 'Lift' }).click();
	await panel.locator('.over', { hasText: 'Ban' }).waitFor();
	await panel.getByRole('link', { name: 'What waits by this author' }).click();
	await until(async () => (await texts(page)).length === 1, 'only theirs are left');
	assert.match(page.url(), /author=Awa/);
});

test('what is said of a comment is on its card: reports, quotes, marks, scores', async () => {
	const paper = await Newspaper.found();
	const above = await paper.post('Le maire a promis de réparer la route du marché avant la saison des pluies.');
	const reply = await paper.post('« Le maire a promis de réparer la route du marché avant la saison des pluies. » On va vous égorger, vous allez tous mourir !', { parent: above, author: 'Menaçant' });
	const page = await paper.seat();
	await reads(page, 'égorger');
	const mine = card(page, 'égorger');
	await mine.locator('.quote').first().waitFor();
	assert.notEqual(await mine.locator('.text mark.is-threat').first().evaluate((mark) => getComputedStyle(mark).textDecorationStyle), 'none', 'a mark has a line, not a colour alone');
	const styles = await page.evaluate(() => Object.fromEntries(['threat', 'toxicity', 'insult', 'identity_attack', 'profanity', 'spam'].map((label) => {
		const mark = document.createElement('mark');
		mark.className = `is-${label}`;
		document.querySelector('.card.current .text').append(mark);
		const { textDecorationStyle: line, textUnderlineOffset: offset, textDecorationThickness: thickness } = getComputedStyle(mark);
		mark.remove();
		return [label, `${line} ${offset} ${thickness}`];
	})));
	assert.equal(new Set(Object.values(styles)).size, 6, `each label has a shape of its own: ${JSON.stringify(styles)}`);
	assert.match(await mine.locator('.chip', { hasText: 'Threat' }).textContent(), /\d+%/);
	await page.keyboard.press('b');
	assert.notEqual(await mine.locator('.text').evaluate((text) => getComputedStyle(text).filter), 'none', 'a violent text is blurred');
	await mine.getByRole('button', { name: 'Show the text' }).click();
	assert.equal(await mine.locator('.text').evaluate((text) => getComputedStyle(text).filter), 'none');
	assert.equal((await paper.comment(reply)).status, 'pending');

	await ask(paper.tokens.site, 'POST', `/v1/comments/${above.id}/reports`, { reporter: { id: 'lui' }, reason: 'abusive', note: 'Il ment.' });
	await page.keyboard.press('4');
	const reported = card(page, 'Le maire');
	await reported.locator('.voices', { hasText: 'Il ment.' }).waitFor();
	assert.match(await reported.locator('.voices').textContent(), /Reported 1 time/);
});

test('a sample says why it is here, and is decided like any other', async () => {
	const paper = await Newspaper.found();
	await paper.rule({ sample_share: 1 });
	const fine = await paper.post('Merci pour ces chiffres.');
	const other = await paper.post('Le pont rouvre au mois de mars.', { author: 'Bob' });
	for (const [lang, sentence] of [['fr', 'tiré au sort'], ['en', 'drawn by chance']]) {
		const page = await paper.seat(`awa-${lang}`, { lang });
		await page.goto('/moderation?queue=sampled&sort=oldest');
		await reads(page, 'Merci');
		for (const text of ['Merci', 'pont rouvre']) {
			await card(page, text).locator('.voices', { hasText: sentence }).waitFor();
			assert.equal(await card(page, text).locator('mark.is-sample').count(), 1);
		}
		if (lang === 'en') {
			await page.keyboard.press('a');
			await reads(page, 'pont rouvre');
			await page.keyboard.press('h');
			await paper.becomes(other, 'hidden');
		}
	}
	assert.equal((await paper.comment(fine)).decision.action, 'approve');
});
