EX
# --- The examples


def open_example(page: Page, stack: Stack, built: Path, name: str) -> None:
    serve(page, stack, built, "client/examples/built/")
    token = stack["users"]["grace"]["token"]
    page.goto(f"{stack['page']}/client/examples/{name}.html#api={stack['api']}&token={token}")


@pytest.mark.parametrize("name", ["fetch", "client", "react", "uppy", "filepond"])
def test_example_sets_and_replaces_the_avatar(
    *, page: Page, stack: Stack, built: Path, errors: list[str], name: str
) -> None:
    open_example(page, stack, built, name)
    shown = []

    for width in (900, 901):
        file = {"name": "me.jpg", "mimeType": "image/jpeg", "buffer": a_jpeg(width, 600)}
        page.locator("input[type=file]").set_input_files(file)  # type: ignore[arg-type]
        image = page.get_by_role("img", name="Your avatar")
        expect(image).to_be_visible()
        if shown:
            expect(image).not_to_have_attribute("src", shown[-1])
        expect(page.locator("[role=status]").first).to_have_text("Done")
        page.wait_for_function("image => image.complete && image.naturalWidth > 0", arg=image.element_handle())
        shown.append(image.get_attribute("src") or "")

    upload_id = Person.of(stack, "grace").profile()["avatar"]["uploadId"]
    assert upload_id in shown[-1]
    assert errors == []
