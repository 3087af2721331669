/** The example: shows the element for a file that the visitor chooses. */

const element = document.querySelector('testamur-verify');
const input = document.querySelector<HTMLInputElement>('#file');

input?.addEventListener('change', async () => {
  const file = input.files?.[0];
  if (!file || !element) return;
  element.setAttribute('credential', await file.text());
  element.removeAttribute('hidden');
});
