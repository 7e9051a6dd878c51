/** Stands for your application's sign-in. Open an example with `#api=<address>&token=<token>`. */

const given = new URLSearchParams(location.hash.slice(1));

export const baseUrl = given.get("api");

export const getToken = () => given.get("token");
