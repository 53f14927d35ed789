// Worker: decodes one frame; the pixels travel back without a copy.
import { decode } from "./decode.js";

onmessage = async ({ data: { id, bytes, header } }) => {
  try {
    const frame = await decode(bytes, header);
    postMessage({ id, frame }, [frame.buffer ?? frame]);
  } catch (error) {
    postMessage({ id, error: String(error.message || error) });
  }
};
