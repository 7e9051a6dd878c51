// Open Swagger UI with the stack's document, signed in as the first development user.

const { users } = await (await fetch("/stack.json")).json();
const [{ token }] = Object.values(users);

const viewer = SwaggerUIBundle({
  dom_id: "#docs",
  url: "/openapi.yaml",
  deepLinking: true,
  docExpansion: "list",
  defaultModelsExpandDepth: 0,
  displayRequestDuration: true,
  validatorUrl: null,
  onComplete: () => viewer.preauthorizeApiKey("BearerToken", token),
});
