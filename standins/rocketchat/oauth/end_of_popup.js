// Hands the credential's secret to the window that opened this one, or leaves it in localStorage, and closes.
(() => {
  const config = JSON.parse(document.getElementById('config').textContent);
  const { credentialToken, credentialSecret, storagePrefix } = config;
  if (config.setCredentialToken) {
    const opener = window.opener;
    if (opener && opener.Package && opener.Package.oauth) {
      opener.Package.oauth.OAuth._handleCredentialSecret(credentialToken, credentialSecret);
    } else {
      localStorage.setItem(storagePrefix + credentialToken, credentialSecret);
    }
  }
  document.getElementById('completedText').style.display = 'block';
  document.getElementById('loginCompleted').onclick = () => window.close();
  window.close();
})();
