"""Writes the JPEG files of tests/data/io and what Pillow reads from them (pip: pillow, numpy)."""
import pathlib

import numpy
from PIL import Image

folder = pathlib.Path(__file__).parent / "io"
rows, columns = numpy.mgrid[0:11, 0:18]
pixels = numpy.stack([rows * 20, columns * 13, (rows + columns) * 8], axis=2).astype(numpy.uint8)
picture = Image.fromarray(pixels)


def save(name, image, **options):
    path = folder / (name + ".jpg")
    image.save(path, quality=90, **options)
    read = numpy.asarray(Image.open(path))
    if read.ndim == 2:
        read = read[:, :, None]
    numpy.save(folder / ("jpeg_" + name + ".npy"), read)


save("rgb", picture, subsampling=0)
save("subsampled", picture, subsampling=2)
save("progressive", picture, progressive=True)
save("gray", picture.convert("L"))
picture.convert("CMYK").save(folder / "cmyk.jpg")
