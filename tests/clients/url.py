"""url.py SERVER URL: asks for a URL's result as the clients of the Flask program do, twice: predicted, then stored."""

import sys

import requests

server, url = sys.argv[1:]

for _ in range(2):
    response = requests.post(f'{server}/url', json={'url': url})
    print(response.json(), response.headers['Cache-Status'])
