"""url_httpx.py SERVER URL: 50 requests for one URL over one client at the same time; prints the different answers."""

import asyncio
import sys

import httpx

server, url = sys.argv[1:]


async def main():
    async with httpx.AsyncClient(base_url=server, timeout=30) as client:
        asked = [client.post('/url', json={'url': url}) for _ in range(50)]
        responses = await asyncio.gather(*asked)
    print({(response.status_code, response.text) for response in responses})


asyncio.run(main())
