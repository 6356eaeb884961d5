// The page to read and try the REST API: Swagger UI for the server's OpenAPI description.
import 'swagger-ui-dist/swagger-ui.css';

import SwaggerUI from 'swagger-ui-dist/swagger-ui-es-bundle.js';

import { serverPath } from '../../client/server/base';

SwaggerUI({
  dom_id: '#docs',
  url: serverPath('/openapi.json'),
  // More than two hundred calls: all of them at once take a browser half a minute to draw.
  docExpansion: 'none',
  defaultModelsExpandDepth: 0,
  // The default badge would send the description to a validator on the internet.
  validatorUrl: 'none',
});
