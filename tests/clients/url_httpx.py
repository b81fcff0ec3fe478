"""50 requests for one URL over one client at the same time; prints the different answers."""

import asyncio

import httpx


async def main():
    async with httpx.AsyncClient(base_url='http://localhost:8000', timeout=30) as client:
        asked = [client.post('/url', json={'url': 'http://example.com/'}) for _ in range(50)]
        responses = await asyncio.gather(*asked)
    print({(response.status_code, response.text) for response in responses})


asyncio.run(main())
