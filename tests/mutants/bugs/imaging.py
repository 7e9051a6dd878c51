"""Bugs in what looks at pictures."""

from tests.mutants.workbench import Bug

_IMAGING = "layers/profile_media/profile_media/imaging"
_POLICY = "layers/profile_media/profile_media/domain/policy.py"
_RENDER = "tests/unit/imaging/test_render.py"
_REFUSALS = "tests/unit/imaging/test_refusals.py"
_SANDBOX = "tests/unit/imaging/test_sandbox.py"
_CONFINEMENT = "tests/unit/imaging/test_confinement.py"
_ANSWER = "tests/unit/imaging/test_answer.py"

BUGS = (
    Bug(
        "pictures: every format of Pillow's is tried",
        f"{_IMAGING}/render.py",
        "Image.open(BytesIO(content), formats=[_FORMATS[content_type]])",
        "Image.open(BytesIO(content))",
        (f"{_RENDER}::test_pillow_tries_the_one_format_and_no_other",),
    ),
    Bug(
        "pictures: as many scans as there are",
        _POLICY,
        "MAX_JPEG_SCANS = 64\n",
        "MAX_JPEG_SCANS = 64_000\n",
        ("tests/unit/test_limits.py",),
    ),
    Bug(
        "pictures: sides as long as they are",
        f"{_IMAGING}/render.py",
        "if max(size) > MAX_SIDE or width * height > MAX_PIXELS[content_type]:",
        "if width * height > MAX_PIXELS[content_type]:",
        (f"{_REFUSALS}::test_the_caps_on_sides_and_pixels",),
    ),
    Bug(
        "pictures: a PNG as large as a JPEG",
        _POLICY,
        "        ContentType.PNG: 25_000_000,\n",
        "        ContentType.PNG: 50_000_000,\n",
        (f"{_REFUSALS}::test_the_caps_on_sides_and_pixels",),
    ),
    Bug(
        "pictures: as small as they are",
        f"{_IMAGING}/render.py",
        "if min(size) < MIN_SIDE:",
        "if min(size) < 1:",
        (f"{_REFUSALS}::test_too_small",),
    ),
    Bug(
        "pictures: of another type than declared",
        f"{_IMAGING}/probe.py",
        "if sniffed is not declared:",
        "if not declared:",
        (f"{_REFUSALS}::test_what_is_declared_must_be_what_it_is",),
    ),
    Bug(
        "pictures: SVG passes for a picture",
        f"{_IMAGING}/probe.py",
        '(re.compile(rb"GIF8[79]a"), ContentType.GIF),',
        '(re.compile(rb"GIF8[79]a|<svg|<[?]xml"), ContentType.GIF),',
        (f"{_REFUSALS}::test_other_formats_are_refused_unseen",),
    ),
    Bug(
        "pictures: lying on their side",
        f"{_IMAGING}/render.py",
        "return _TURNS.get(opened.getexif().get(_ORIENTATION, 1))",
        "return None",
        (f"{_RENDER}::test_every_orientation_comes_out_upright",),
    ),
    Bug(
        "pictures: turned the wrong way",
        f"{_IMAGING}/render.py",
        "        6: Image.Transpose.ROTATE_270,\n",
        "        6: Image.Transpose.ROTATE_90,\n",
        (f"{_RENDER}::test_every_orientation_comes_out_upright",),
    ),
    Bug(
        "pictures: metadata goes along",
        f"{_IMAGING}/render.py",
        "    canvas.save(content, _FORMATS[content_type], **options)\n",
        "    exif = picture.getexif()\n    exif[0x010F] = name\n"
        "    canvas.save(content, _FORMATS[content_type], exif=exif, **options)\n",
        (_RENDER,),
    ),
    Bug(
        "pictures: colour profiles go along",
        f"{_IMAGING}/render.py",
        "    canvas.info = {}\n",
        '    options |= {"icc_profile": canvas.info.get("icc_profile", b"")}\n',
        (f"{_RENDER}::test_no_metadata_comes_through",),
    ),
    Bug(
        "pictures: colours as if they were sRGB",
        f"{_IMAGING}/render.py",
        "        colours = _converted(colours, profile)\n",
        "        pass\n",
        (f"{_RENDER}::test_colours_of_a_wide_screen_are_kept",),
    ),
    Bug(
        "pictures: the last frame of an animation",
        f"{_IMAGING}/render.py",
        "        opened.load()\n",
        '        for frame in range(getattr(opened, "n_frames", 1)):\n            opened.seek(frame)\n',
        (f"{_RENDER}::test_the_first_picture_of_an_animation_is_the_one",),
    ),
    Bug(
        "pictures: the corner instead of the middle",
        f"{_IMAGING}/render.py",
        "max(0.0, (have - density * want) / 2)",
        "max(0.0, (have - density * want) * 0)",
        (f"{_RENDER}::test_the_crop_is_the_middle",),
    ),
    Bug(
        "pictures: the master is enlarged",
        f"{_IMAGING}/render.py",
        "    if longest <= MASTER_SIDE:\n        return source\n",
        "",
        (f"{_RENDER}::test_the_master_is_bounded_and_whole_and_never_enlarged",),
    ),
    Bug(
        "pictures: a JPEG is decoded in full",
        f"{_IMAGING}/render.py",
        "            opened.draft(None, (opened.width // part, opened.height // part))\n",
        "            len(full)\n",
        (f"{_RENDER}::test_a_jpeg_is_decoded_no_larger_than_it_is_needed",),
    ),
    Bug(
        "pictures: transparency is lost",
        f"{_IMAGING}/render.py",
        "        rgb.putalpha(alpha)\n",
        "        pass\n",
        (f"{_RENDER}::test_a_transparent_gif_keeps_its_transparency",),
    ),
    Bug(
        "decoder: CPU without end",
        f"{_IMAGING}/sandbox.py",
        "    _limit(resource.RLIMIT_CPU, limits.cpu_seconds, grace=1)\n",
        "",
        (f"{_CONFINEMENT}::test_it_is_the_kernel_that_ends_who_computes_without_end",),
    ),
    Bug(
        "decoder: memory without end",
        f"{_IMAGING}/sandbox.py",
        "        _limit(resource.RLIMIT_AS, memory)\n",
        "        pass\n",
        (f"{_SANDBOX}::test_memory_has_an_end",),
    ),
    Bug(
        "decoder: time without end",
        f"{_IMAGING}/sandbox.py",
        "left <= 0 or not poll.poll(left * 1000)",
        "left <= -5 or not poll.poll(5000)",
        (f"{_SANDBOX}::test_waiting_has_an_end",),
    ),
    Bug(
        "decoder: an answer without end",
        f"{_IMAGING}/sandbox.py",
        "if len(answer) > limits.answer_bytes:",
        "if len(answer) < 0:",
        (f"{_SANDBOX}::test_answering_has_an_end",),
    ),
    Bug(
        "decoder: credentials in its environment",
        f"{_IMAGING}/sandbox.py",
        "    os.environ.clear()\n",
        "",
        (f"{_SANDBOX}::test_the_child_knows_no_environment",),
    ),
    Bug(
        "decoder: files to open",
        f"{_IMAGING}/sandbox.py",
        "    _limit(resource.RLIMIT_NOFILE, 0)\n",
        "",
        (f"{_SANDBOX}::test_the_child_can_open_nothing",),
    ),
    Bug(
        "decoder: descriptors of the parent's",
        f"{_IMAGING}/sandbox.py",
        "    os.closerange(writer + 1, _highest_descriptor())\n",
        "",
        (f"{_CONFINEMENT}::test_no_descriptor_of_the_parents_is_left",),
    ),
    Bug(
        "decoder: its death is an error of ours",
        f"{_IMAGING}/sandbox.py",
        "reason = Reason.TOO_COMPLEX if -exit_code in _SPENT else Reason.CORRUPT",
        "reason = Reason.CORRUPT",
        (_SANDBOX,),
    ),
    Bug(
        "answer: bytes behind a picture",
        f"{_IMAGING}/answer.py",
        '            return end is not None and end[0] == b"\\xff\\xd9" and end.end() == len(content)\n',
        '            return end is not None and end[0] == b"\\xff\\xd9"\n',
        (_ANSWER,),
    ),
    Bug(
        "answer: pictures of any size",
        f"{_IMAGING}/answer.py",
        "    _check(pictures, slot)\n",
        "",
        (_ANSWER,),
    ),
)
