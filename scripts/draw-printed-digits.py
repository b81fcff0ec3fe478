#!/usr/bin/env python3
"""draw-printed-digits.py FOLDER FONT...: draws the ten digits in each font (a .ttf or .otf file), black on white, as a folder
for `augur evaluate --images FOLDER`. Needs Pillow."""

import sys
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

SIZE = 96


def main():
    folder, fonts = Path(sys.argv[1]), sys.argv[2:]
    for path in fonts:
        font = ImageFont.truetype(path, SIZE)
        for digit in "0123456789":
            picture = Image.new("L", (2 * SIZE, 2 * SIZE), 255)
            ImageDraw.Draw(picture).text((SIZE, SIZE), digit, fill=0, font=font, anchor="mm")
            (folder / digit).mkdir(parents=True, exist_ok=True)
            picture.save(folder / digit / (Path(path).stem + ".png"))


main()
