import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { test } from 'node:test';
import { browse, enter, escape, Newspaper, testing, until } from './harness.js';

const server = await testing();

const signIn = async (page, name, password) => {
	await page.locator('[name=name]').fill(name);
	await page.locator('[name=password]').fill(password);
	await page.locator('#gate .primary').click();
};

const PASSWORD = 'un deux trois soleil';

async function account(page) {
	await page.locator('[popovertarget=menu]').click();
	await page.getByRole('button', { name: 'Account' }).click();
}

async function choosePassword(page) {
	await account(page);
	await page.locator('dialog [name=new]').fill(PASSWORD);
	await page.locator('dialog .primary').click();
	await page.locator('dialog [role=alert]', { hasText: 'Saved.' }).waitFor();
	await escape(page);
}

test('a link signs in once, and only by its button', async () => {
	const paper = await Newspaper.found();
	const link = await paper.account('awa');
	const page = await browse();
	const posts = [];
	page.on('request', (request) => request.method() === 'POST' && posts.push(new URL(request.url()).pathname));
	for (let look = 0; look < 2; look += 1) {
		await page.goto('about:blank');
		await page.goto(link);
		await page.locator('#gate .primary').waitFor();
	}
	assert.deepEqual(posts, [], 'looking at a link does not use it up');
	await enter(page);
	assert.deepEqual(posts, ['/moderation/session']);
	assert.equal(new URL(page.url()).hash, '', 'the secret leaves the address bar');
	assert.ok((await page.locator('#tools').textContent()).includes(`awa-${paper.slug}`));

	const other = await browse();
	await other.goto(link);
	await other.locator('#gate .primary').click();
	await other.locator('#gate [role=alert]', { hasText: 'used or is too old' }).waitFor();
	assert.ok(await other.locator('#desk').isHidden());
});

test('a password is chosen, signs in, and a wrong one does not', async () => {
	const paper = await Newspaper.found();
	const page = await paper.seat('awa');
	await choosePassword(page);
	const other = await browse();
	await other.goto('/moderation?queue=reported');
	await signIn(other, `awa-${paper.slug}`, 'un deux trois lune');
	await other.locator('#gate [role=alert]', { hasText: 'Wrong name or password.' }).waitFor();
	await signIn(other, `awa-${paper.slug}`, PASSWORD);
	await other.locator('#desk').waitFor();
	assert.equal(new URL(other.url()).search, '?queue=reported', 'one arrives where one wanted to go');
});

test('one sees where one is signed in, and ends what one does not know', async () => {
	const paper = await Newspaper.found();
	const page = await paper.seat('awa');
	const elsewhere = await browse();
	await choosePassword(page);
	await elsewhere.goto('/moderation');
	await signIn(elsewhere, `awa-${paper.slug}`, PASSWORD);
	await elsewhere.locator('#desk').waitFor();
	await account(page);
	await until(async () => await page.locator('.sessions li').count() === 2, 'both are listed');
	await page.getByRole('button', { name: 'End' }).click();
	await until(async () => await page.locator('.sessions li').count() === 1, 'the session is gone from the list');
	await elsewhere.reload();
	await elsewhere.locator('#gate [name=password]').waitFor();
});

test('signing out ends the session', async () => {
	const paper = await Newspaper.found();
	const page = await paper.seat('awa');
	const [cookie] = await page.context().cookies();
	assert.ok(cookie.httpOnly && cookie.sameSite === 'Strict');
	await page.locator('[popovertarget=menu]').click();
	await page.getByRole('button', { name: 'Sign out' }).click();
	await page.locator('#gate [name=password]').waitFor();
	assert.deepEqual(await page.context().cookies(), []);
	const again = await fetch(`${server.address}/v1/queue`, { headers: { Cookie: `${cookie.name}=${cookie.value}` } });
	assert.equal(again.status, 401, 'the cookie is worth nothing any more');
});

test('another page cannot decide with the cookie', async () => {
	const paper = await Newspaper.found();
	const [comment] = await paper.hold(['Un mot.']);
	const page = await paper.seat('awa');
	const evil = createServer((_, response) => response.setHeader('Content-Type', 'text/html').end('<p>Bonjour'));
	await new Promise((done) => evil.listen(0, '127.0.0.1', done));
	// Of the same site as far as cookies go, which ports do not part: the cookie travels.
	const tab = await page.context().newPage();
	await tab.goto(`http://127.0.0.1:${evil.address().port}/`);
	const decision = { action: 'approve', version: 1 };
	const tries = await tab.evaluate(async ([address, body]) => {
		const send = (headers) => fetch(address, { method: 'POST', mode: headers ? 'cors' : 'no-cors', credentials: 'include', headers, body }).then(() => 'sent', () => 'refused');
		return [await send(), await send({ 'Content-Type': 'application/json', 'X-Palabre-Page': '1' })];
	}, [`${server.address}/v1/comments/${comment.id}/decisions`, JSON.stringify(decision)]);
	assert.equal(tries[1], 'refused', 'the browser asks first, and is told no');
	assert.equal((await paper.comment(comment)).status, 'pending');

	// What a browser would send, had it let the page.
	const [{ name, value }] = await page.context().cookies();
	const post = (headers) => fetch(`${server.address}/v1/comments/${comment.id}/decisions`, {
		method: 'POST', headers: { Cookie: `${name}=${value}`, 'Content-Type': 'application/json', ...headers }, body: JSON.stringify(decision),
	});
	assert.equal((await post({})).status, 403);
	assert.equal((await post({ 'X-Palabre-Page': '1', 'Sec-Fetch-Site': 'same-site' })).status, 403);
	assert.equal((await post({ 'X-Palabre-Page': '1', 'Sec-Fetch-Site': 'same-origin' })).status, 201);
	evil.close();
});
