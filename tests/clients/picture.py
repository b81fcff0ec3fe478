"""picture.py SERVER FILE: the client of pictures in the documents that augur was made after; only the server's address and
the file's name are arguments."""

import sys

import requests

server, name = sys.argv[1:]

image_file = open(name, 'rb')
files = {'image': image_file}
response = requests.post(f'{server}/classify', files=files)
result = response.json()
print(result)
