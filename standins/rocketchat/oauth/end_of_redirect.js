// Keeps the credential's secret for the page that started the log-in, and goes back there.
(() => {
  const config = JSON.parse(document.getElementById('config').textContent);
  if (config.setCredentialToken) {
    sessionStorage.setItem(config.storagePrefix + config.credentialToken, config.credentialSecret);
  }
  window.location.replace(config.redirectUrl);
})();
